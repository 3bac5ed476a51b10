import pytest

from geosleuth.agent.conclude import AnswerRule, gained_bits


@pytest.mark.parametrize(
    ("probability", "bits", "spoke", "status"),
    [
        (0.6, 2.0, 1, "localized"),
        (0.59, 6.0, 3, "coarse"),
        (0.99, 1.9, 1, "coarse"),
        (0.3, 1.0, 1, "coarse"),
        (0.3, 0.9, 1, "not_locatable"),
        (0.3, 0.0, 0, "not_locatable"),
    ],
)
def test_the_rule_at_its_edges(probability, bits, spoke, status):
    found, reason = AnswerRule().decide(probability, bits, spoke)
    assert found == status
    assert reason.endswith(".")


def test_gained_bits_is_the_divergence_derived_by_hand():
    prior = {"A": 0.5, "B": 0.25, "C": 0.25}
    assert gained_bits({"A": 0.0, "B": 1.0, "C": 0.0}, prior) == pytest.approx(2)
    assert gained_bits({"A": 0.5, "B": 0.5, "C": 0.0}, prior) == pytest.approx(0.5)  # 0.5 * 0 + 0.5 * 1
    assert gained_bits(prior, prior) == 0


def test_contradicting_findings_are_never_localized(tmp_path):
    from PIL import Image

    from geosleuth.agent.agent import Agent
    from geosleuth.agent.toolbox import Finding, Scene
    from geosleuth.tools.evidence import Evidence, NearPlace, NearPoints, OverRegions

    def position(_: Scene) -> Finding:
        """Read the file."""
        near = NearPoints(places=(NearPlace(lat=43.77, lon=11.26, spread_km=0.03, weight=1e10),), floor=1.0)
        return Finding("found", (Evidence(tool="metadata", type="metadata.gps", claim="Florence", likelihood=near),))

    def signs(_: Scene) -> Finding:
        """Read the signs."""
        over = OverRegions(log_ratios={"UA": 16.0}, wrong=0.0)
        return Finding(
            "found", (Evidence(tool="reading", type="reading.language", claim="Ukrainian", likelihood=over),)
        )

    path = tmp_path / "photo.png"
    Image.new("RGB", (64, 64), (90, 120, 90)).save(path)
    answer = Agent(tools={"metadata": position, "read_text": signs}).localize(path)
    assert answer.contradictions
    assert answer.contradictions[0].bits > 10
    assert answer.status == "coarse"
    assert "contradict" in answer.reason
