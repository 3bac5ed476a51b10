"""Whose cases are shown, and to whom nothing is."""

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.owner import is_loopback, owner_of


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "localhost", "::1", "[::1]"])
def test_at_a_server_for_this_machine_alone_the_person_is_local(address: str):
    assert is_loopback(address)
    assert owner_of(address, login=False, user={}) == "local"


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "192.168.1.5", "example.org"])  # noqa: S104
def test_a_server_that_others_reach_shows_nothing_without_a_login(address: str | None):
    assert not is_loopback(address)
    with pytest.raises(InputError, match=r"a server that only this machine reaches.*geosleuth chat"):
        owner_of(address, login=False, user={})


def test_with_a_login_nobody_is_known_before_it():
    assert owner_of("0.0.0.0", login=True, user={"is_logged_in": False}) is None  # noqa: S104
    assert owner_of("127.0.0.1", login=True, user={}) is None


def test_who_has_logged_in_is_the_issuer_s_subject_and_not_an_address_that_may_change_hands():
    user = {"is_logged_in": True, "iss": "https://login.example", "sub": "42", "email": "a@example.org"}
    first = owner_of("0.0.0.0", login=True, user=user)  # noqa: S104
    assert first == "https://login.example\n42"
    assert owner_of("0.0.0.0", login=True, user=user | {"email": "b@example.org"}) == first  # noqa: S104
    assert owner_of("0.0.0.0", login=True, user=user | {"sub": "43"}) != first  # noqa: S104
    assert owner_of("0.0.0.0", login=True, user=user | {"iss": "https://other.example"}) != first  # noqa: S104


def test_a_login_that_does_not_say_who_is_refused():
    with pytest.raises(InputError, match="a login without issuer or subject"):
        owner_of("127.0.0.1", login=True, user={"is_logged_in": True, "email": "a@example.org"})
