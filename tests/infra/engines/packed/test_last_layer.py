import torch

from experts.base_models import BaseModel
from infra.engines.packed.forward_passes import PrefixPrefill, PromptPrefill, Segment
from infra.engines.packed.kv_cache import SharedPrefix
from infra.engines.packed.last_layer import LastLayer
from infra.engines.packed.resident_model import ResidentModel


def test_some_logits_are_those_of_a_whole_pass(base: BaseModel) -> None:
    resident = ResidentModel(base, torch.device("cpu"), torch.float32)
    ids, segments = [5, 6, 7, 8, 9, 10, 11], [Segment(0, 4, None, 0), Segment(4, 7, None, 1)]
    read = lambda tokens: resident.forward(ids, [0, 1, 2, 3, 0, 1, 2], PromptPrefill(segments, 1, None), tokens)  # noqa: E731
    with torch.inference_mode():
        whole, some = read(None), read([3, 6])
    torch.testing.assert_close(some, whole[[3, 6]])


def test_attention_of_the_last_layer_at_the_ends_of_prompts_changes_nothing_there(base: BaseModel) -> None:
    resident = ResidentModel(base, torch.device("cpu"), torch.float32)
    ids, segments = [5, 6, 7, 8, 9, 10, 11], [Segment(0, 4, None, 0), Segment(4, 7, None, 1)]
    prefix = SharedPrefix(2)
    with torch.inference_mode():
        resident.forward([3, 4], [0, 1], PrefixPrefill(prefix, 1), [1])
        whole, ends = (
            resident.forward(ids, [2, 3, 4, 5, 2, 3, 4], PromptPrefill(segments, 1, prefix, last), [3, 6])
            for last in (None, resident.layers - 1)
        )
    torch.testing.assert_close(ends, whole)


def test_the_mlp_of_the_last_layer_sees_only_tokens_whose_logits_are_needed(base: BaseModel) -> None:
    resident = ResidentModel(base, torch.device("cpu"), torch.float32)
    model, seen = resident.model, list[int]()
    last = model.get_decoder().layers[-1].mlp
    last.up_proj.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[-2]))
    with torch.inference_mode():
        resident.forward([5, 6, 7], [0, 1, 2], PromptPrefill([Segment(0, 3, None, 0)], 1, None), [2])
        resident.forward([5, 6, 7], [0, 1, 2], PromptPrefill([Segment(0, 3, None, 0)], 1, None))
    assert seen == [1, 3]


def test_an_mlp_that_returns_more_than_states_is_left_whole(base: BaseModel) -> None:
    model = ResidentModel(base, torch.device("cpu"), torch.float32).model
    mlp = model.get_decoder().layers[-1].mlp
    mlp.forward = lambda hidden: (hidden, "routes")
    last = LastLayer(model)
    hidden = torch.ones(1, 3, 4)
    with last.only(torch.tensor([2])):
        output = mlp.forward(hidden)
    assert output == (hidden, "routes")
