"""Other libraries: their tasks as environments (`reasoning_gym`), ours for them (`dataset`)."""
