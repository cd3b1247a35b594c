from daemon import bundled


def test_what_ships_with_the_program_is_found() -> None:
    """The top of a checkout; the wheel's place is tested with the wheel."""
    for name in ("rules.toml", "rules.test.toml", "migrations", "systemd"):
        assert bundled.path(name).exists()
