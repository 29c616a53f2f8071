"""`python -m selfplay`."""

from selfplay.cli import main

if __name__ == "__main__":
    main()
