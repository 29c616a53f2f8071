"""`selfplay` and `python -m selfplay`: the process is set up, then the command line takes over."""

from selfplay import device


def main() -> None:
    """Run the command that this process was started for."""
    device.start_anew_with_allocator()
    from selfplay.cli import main as command  # after that: its imports would be for nothing

    command()


if __name__ == "__main__":
    main()
