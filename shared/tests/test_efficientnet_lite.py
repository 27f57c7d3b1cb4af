"""EfficientNet-Lite0 gives what the published implementation gives with the same weights."""

import numpy as np
import pytest
import torch

from carefolio import efficientnet_lite
from carefolio.efficientnet_lite import STAGES, EfficientNetLite0, fold_normalisation, load_efficientnet_lite0
from carefolio.exceptions import ArtefactError


@pytest.fixture(scope="module")
def network() -> EfficientNetLite0:
    return load_efficientnet_lite0()


def test_it_answers_as_the_published_implementation(network):
    # Recorded from the PyPI package efficientnet-lite-pytorch 0.1.0 with the same weights, which this module equals bit by bit.
    pictures = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
    with torch.inference_mode():
        logits = network(pictures)[0].numpy()
    assert logits.shape == (1000,)
    np.testing.assert_allclose(logits[:4], [-0.45917, -0.12702, 0.93632, 0.62607], atol=2e-4)
    assert int(logits.argmax()) == 782


def test_each_stage_gives_a_map_of_its_channels_and_reduction(network):
    with torch.inference_mode():
        maps = network.stages(torch.zeros(2, 3, 64, 96))
    assert [one.shape[1] for one in maps] == [stage.channels for stage in STAGES]
    assert [tuple(one.shape[2:]) for one in maps] == [(32, 48), (16, 24), (8, 12), (4, 6), (4, 6), (2, 3), (2, 3)]


@pytest.mark.parametrize("stage", [0, 2, 5])
def test_it_goes_on_from_a_stage_as_if_it_had_not_stopped(network, stage):
    pictures = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = network.stages(pictures)
        begun = network.stages(pictures, last=stage)
        later = network.later_stages(begun[-1], stage=stage, last=5)
    assert len(begun) == stage + 1
    for got, expected in zip([*begun, *later], whole, strict=False):
        torch.testing.assert_close(got, expected)


def test_without_its_normalisations_it_gives_the_same_and_can_be_tuned(network):
    folded = fold_normalisation(load_efficientnet_lite0())
    pictures = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(folded(pictures), network(pictures), atol=2e-4, rtol=1e-4)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in folded.modules())
    folded(pictures).sum().backward()
    assert all(one.grad is not None for one in folded.parameters())


def test_it_is_ready_to_be_asked_and_to_be_trained(network):
    assert not network.training
    assert sum(one.numel() for one in network.parameters()) == 4_652_008
    assert all(one.requires_grad for one in network.parameters())


def test_weights_of_another_form_are_refused(monkeypatch):
    monkeypatch.setattr(efficientnet_lite.torch, "load", lambda *args, **options: {"weight": torch.zeros(3)})
    with pytest.raises(ArtefactError, match="must hold 296 tensors of EfficientNet-Lite0; got 1"):
        load_efficientnet_lite0()
