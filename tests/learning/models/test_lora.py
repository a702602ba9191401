"""LoRA on the tiny language model: parity with peft, what is counted, what is cheap, and what is refused."""

import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.func import grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from learning.errors import LearningError
from learning.models import lora
from learning.models.base_models import load_base
from learning.models.lora import IGNORED, LoraNetwork, adapter_files, lora_network
from learning.models.tokenizers import tokenizer
from learning.streams import stream
from learning.work import RowModule

TEXTS = (
    ("Shares rise. Answer: ", "positive"),
    ("Losses widen a lot. Answer: ", "negative"),
    ("A flat quarter. Answer: ", "neutral"),
    ("The profit doubled, the outlook is better still. Answer: ", "positive"),
)


@pytest.fixture(scope="module")
def net():
    return lora_network("tiny", 259)


@pytest.fixture
def row(net):
    """An adapter that has moved: B is not zero."""
    row = torch.from_numpy(net.initial(stream(0, "initial")))
    return row + 0.02 * torch.randn(len(row), generator=torch.Generator().manual_seed(1))


def batch(length=80):
    tok = tokenizer("tiny")
    x = torch.full((len(TEXTS), length), tok.pad)
    y = torch.full((len(TEXTS), length), IGNORED)
    for k, (prompt, answer) in enumerate(TEXTS):
        asked, said = tok.encode(prompt), [*tok.encode(answer), tok.end]
        tokens = asked + said
        x[k, : len(tokens) - 1] = torch.tensor(tokens[:-1])
        y[k, len(asked) - 1 : len(tokens) - 1] = torch.tensor(said)
    return x, y


def test_the_row_is_the_adapter_of_queries_and_values(net):
    assert net.layout.parameters == 4 * 2 * (8 * 128 + 128 * 8)
    assert net.layout.names[:2] == (
        "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight",
        "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight",
    )
    assert (net.rank, net.alpha, net.scale) == (8, 16, 2.0)
    assert net.drops == ()


def test_a_fresh_adapter_changes_nothing_and_its_a_is_drawn_as_peft_draws_it(net):
    row = net.initial(stream(3, "initial"))
    for name, view in zip(net.layout.names, net.layout.views(torch.from_numpy(row)), strict=True):
        if ".lora_B." in name:
            assert not view.any()
        else:
            assert view.abs().max() <= 1 / np.sqrt(128)
            assert float(view.std()) == pytest.approx(1 / np.sqrt(3 * 128), rel=0.1)
    assert np.array_equal(row, net.initial(stream(3, "initial")))
    x, _ = batch()
    with torch.no_grad():
        plain = load_base("tiny")(input_ids=x).logits
        assert torch.allclose(net.forward(net.layout.views(torch.from_numpy(row)), x), plain, atol=1e-6)


def test_three_steps_are_those_of_plain_peft(net, row):
    """The same model trained by peft's own modules, with attention masks and AdamW, gives the same adapter."""
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict

    x, y = batch()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
        plain = get_peft_model(load_base("tiny"), config)
        set_peft_model_state_dict(plain, dict(zip(net.layout.names, net.layout.views(row.clone()), strict=True)))
    trained = [p for p in plain.parameters() if p.requires_grad]
    bench = RowModule(net)
    bench.row.copy_(row)
    ours = torch.nn.Parameter(bench.row)
    ours.grad = bench.gradient
    optimisers = [torch.optim.AdamW(p, lr=1e-3, foreach=False) for p in (trained, [ours])]
    for _ in range(3):
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=False)
        scores = plain(input_ids=x, attention_mask=(x != 256).long()).logits
        each = F.cross_entropy(scores.transpose(1, 2), y, reduction="none", ignore_index=IGNORED)
        expected = (each.sum(1) / (y != IGNORED).sum(1)).mean()
        expected.backward()
        found = bench.loss(x, y)
        found.backward()
        assert float(found.detach()) == pytest.approx(float(expected.detach()), abs=1e-5)
        for optimiser in optimisers:
            optimiser.step()
    assert torch.allclose(bench.row, torch.cat([p.detach().flatten() for p in trained]), atol=1e-5)
    assert float((bench.row - row).norm()) > 0.1


def test_the_base_model_is_never_written(net, row):
    before = {name: value.clone() for name, value in net._base.state_dict().items()}
    bench = RowModule(net)
    bench.row.copy_(row)
    bench.loss(*batch()).backward()
    assert bench.gradient.any()
    assert all(torch.equal(value, before[name]) for name, value in net._base.state_dict().items())
    assert all(p.grad is None and not p.requires_grad for p in net._base.parameters())


@pytest.mark.parametrize("scores", [2**24, 259 * 5])
def test_the_short_way_computes_loss_and_gradient_of_the_long_way(net, row, monkeypatch, scores):
    monkeypatch.setattr(lora, "_SCORES", scores)
    x, y = batch()
    y[1, 20:] = IGNORED  # a sample of fewer targets than the others: each sample counts the same
    grads = []
    for way in (lambda views: net.batch_loss(views, x, y), lambda views: net.loss(net.forward(views, x), y)):
        theta = row.clone().requires_grad_()
        value = way(net.layout.views(theta))
        grads.append((float(value.detach()), torch.autograd.grad(value, theta)[0]))
    assert grads[0][0] == pytest.approx(grads[1][0], abs=1e-6)
    assert torch.allclose(grads[0][1], grads[1][1], atol=1e-6)


@pytest.mark.parametrize("tokens", [4096, 80])
def test_the_short_way_judges_as_the_long_way(net, row, monkeypatch, tokens):
    monkeypatch.setattr(lora, "_TOKENS", tokens)
    x, y = batch()
    views = net.layout.views(row)
    with torch.no_grad():
        score, loss = net.batch_judge(views, x, y)
        long_score, long_loss = net.judge(net.forward(views, x), y)
    assert score.dtype == loss.dtype == torch.float64
    assert torch.equal(score, long_score)
    assert torch.allclose(loss, long_loss, atol=1e-6)


def test_padding_and_what_follows_the_answer_change_nothing(net, row):
    views = net.layout.views(row)
    with torch.no_grad():
        short, long = net.batch_loss(views, *batch(80)), net.batch_loss(views, *batch(200))
        x, y = batch()
        alone = [net.batch_loss(views, x[k : k + 1], y[k : k + 1]) for k in range(len(x))]
    assert float(short) == pytest.approx(float(long), abs=1e-6)
    assert float(short) == pytest.approx(float(sum(alone)) / len(alone), abs=1e-6)


def test_short_answers_count_only_if_all_is_right_and_long_ones_by_their_share(net):
    y = torch.full((4, 20), IGNORED)
    y[0, 3:6] = 7
    y[1, 3:6] = 7
    y[2, :20] = 7
    scores = torch.zeros(4, 20, 259)
    scores[:, :, 7] = 5.0
    scores[1, 4, 8] = 9.0
    scores[2, :5, 8] = 9.0
    score, loss = net.judge(scores, y)
    assert score.tolist() == [1.0, 0.0, 0.75, 0.0]
    right = np.log(np.exp(5) + 258) - 5
    wrong = np.log(np.exp(9) + np.exp(5) + 257) - 5
    assert loss.tolist() == pytest.approx([right, (2 * right + wrong) / 3, (15 * right + 5 * wrong) / 20, 0.0])
    assert float(net.loss(scores, y)) == pytest.approx(float(loss.mean()), abs=1e-6)


def test_training_teaches_the_answers_and_the_score_is_greedy_decoding(net):
    x, y = batch()
    bench = RowModule(net)
    bench.row.copy_(torch.from_numpy(net.initial(stream(0, "initial"))))
    theta = torch.nn.Parameter(bench.row)
    theta.grad = bench.gradient
    optimiser = torch.optim.AdamW([theta], lr=0.01, foreach=False)
    losses = []
    for _ in range(25):
        optimiser.zero_grad(set_to_none=False)
        loss = bench.loss(x, y)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.1 * losses[0]
    with torch.no_grad():
        score, _ = bench.judge(x, y)
        for k, (prompt, answer) in enumerate(TEXTS):
            tok = tokenizer("tiny")
            tokens = tok.encode(prompt)
            while len(tokens) < 80 and (not tokens or tokens[-1] != tok.end):
                scores = net.forward(net.layout.views(bench.row), torch.tensor([tokens]))
                tokens.append(int(scores[0, -1].argmax()))
            assert float(score[k]) == float(tokens == [*tok.encode(prompt + answer), tok.end])
    assert score.sum() >= 3


def test_gradients_of_single_examples(net, row):
    """For DP-SGD: `grad` in a loop, or `vmap(grad)` without fused attention, mean of either = the batch's gradient."""
    x, y = batch()

    def one(theta, a, b):
        return net.loss(net.forward(net.layout.views(theta), a[None]), b[None])

    loop = torch.stack([grad(one)(row, a, b) for a, b in zip(x, y, strict=True)])
    with sdpa_kernel(SDPBackend.MATH):
        together = vmap(grad(one), in_dims=(None, 0, 0))(row, x, y)
    assert torch.allclose(loop, together, atol=1e-6)
    theta = row.clone().requires_grad_()
    whole = torch.autograd.grad(net.batch_loss(net.layout.views(theta), x, y), theta)[0]
    assert torch.allclose(loop.mean(0), whole, atol=1e-6)


def test_a_saved_adapter_is_peft_s(net, row, tmp_path):
    from peft import PeftModel

    tensors = dict(zip(net.layout.names, (view.numpy() for view in net.layout.views(row)), strict=True))
    (tmp_path / "adapter").mkdir()
    for name, content in adapter_files(tensors, "tiny", ()).items():
        (tmp_path / "adapter" / name).write_bytes(content)
    x, _ = batch()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = PeftModel.from_pretrained(load_base("tiny"), str(tmp_path / "adapter"))
        assert torch.allclose(loaded(input_ids=x).logits, net.forward(net.layout.views(row), x), atol=1e-6)


def test_tokens_of_another_model_are_refused(net):
    with pytest.raises(LearningError, match="tokens 0 to 259 but the language model knows 0 to 258"):
        net.prepare(torch.tensor([[0, 259]]))
    with pytest.raises(LearningError, match="300 tokens but the language model tiny knows 259"):
        lora_network("tiny", 300)
    stored = net.prepare(torch.tensor([[0, 258]]))
    assert net.inputs(stored, 1.0, 0.0).dtype == torch.int64


def test_the_base_model_is_loaded_once(net):
    assert lora_network("tiny") is net


def test_a_model_without_these_projections_is_refused():
    from transformers import GPT2Config, GPT2LMHeadModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        base = GPT2LMHeadModel(GPT2Config(vocab_size=20, n_positions=8, n_embd=8, n_layer=1, n_head=1))
    with pytest.raises(LearningError, match="cannot be adapted at q_proj and v_proj"):
        LoraNetwork(base)


def test_other_modules_can_be_adapted_and_what_is_outside_of_the_layers_cannot():
    net = lora_network("tiny", targets=("k_proj", "down_proj"))
    assert {name.split(".")[-3] for name in net.layout.names} == {"k_proj", "down_proj"}
    assert len(net.layout.names) == 4 * 2 * 2
    for outside in ("lm_head", "embed_tokens"):
        with pytest.raises(LearningError, match="not all linear layers before its head"):
            lora_network("tiny", targets=("q_proj", outside))


def test_a_model_whose_scores_are_no_linear_head_is_refused():
    from transformers import Gemma2Config, Gemma2ForCausalLM

    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 1, "num_key_value_heads": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = Gemma2Config(
            vocab_size=20, num_hidden_layers=1, head_dim=8, final_logit_softcapping=0.01, pad_token_id=0, **sizes
        )
        base = Gemma2ForCausalLM(config).eval()
    with pytest.raises(LearningError, match="more to its scores than one linear head"):
        LoraNetwork(base)


@pytest.mark.slow
def test_smollm2_learns_in_three_steps():
    net = lora_network("smollm2")
    assert net.layout.parameters == 460_800
    tok = tokenizer("smollm2")
    asked, said = tok.encode("Shares rise. Sentiment: "), [*tok.encode("positive"), tok.end]
    x = net.prepare(torch.tensor([(asked + said)[:-1]])).long()
    y = torch.tensor([[IGNORED] * (len(asked) - 1) + said])
    theta = torch.from_numpy(net.initial(stream(0, "initial"))).requires_grad_()
    optimiser = torch.optim.AdamW([theta], lr=1e-3)
    losses = []
    for _ in range(4):
        optimiser.zero_grad()
        loss = net.batch_loss(net.layout.views(theta), x, y)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
