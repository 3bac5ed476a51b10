import pytest
from huggingface_hub import constants, is_offline_mode

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.hub import cached_first


class Weights:
    """Counts how it was asked; what the cache lacks can only be had with the hub."""

    def __init__(self, *, cached: bool) -> None:
        self.cached, self.asked_offline = cached, []

    def load(self) -> str:
        self.asked_offline.append(is_offline_mode())
        if not self.cached and is_offline_mode():
            raise InputError("weights", "none in the cache", "Connect once.")
        return "weights"


@pytest.fixture(autouse=True)
def online(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


def test_what_is_cached_is_loaded_without_asking():
    weights = Weights(cached=True)
    assert cached_first(weights.load) == "weights"
    assert weights.asked_offline == [True]
    assert not is_offline_mode()


def test_what_is_missing_is_fetched_once_it_is_allowed():
    weights = Weights(cached=False)
    assert cached_first(weights.load) == "weights"
    assert weights.asked_offline == [True, False]


def test_nothing_is_fetched_where_that_is_not_allowed():
    weights = Weights(cached=False)
    with pytest.raises(InputError, match="none in the cache"):
        cached_first(weights.load, fetch=False)
    assert weights.asked_offline == [True]
    assert not is_offline_mode()
