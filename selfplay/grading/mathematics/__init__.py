"""Mathematical text, ASCII or LaTeX -> immutable trees -> whether two of them are equal."""
