"""`python -m daemon` is the program `marginwatch`."""

from daemon.cli import main

if __name__ == "__main__":
    main()
