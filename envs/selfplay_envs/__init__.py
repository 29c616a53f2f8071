"""The environments that come with selfplay, one a file; they import only problem and grading."""
