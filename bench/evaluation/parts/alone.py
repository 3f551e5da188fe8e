"""The reference: one row in a batch of its own."""

from typing import Any

from data.requests import Generate


def generated_alone(model: Any, tokenizer: Any, request: Generate) -> list[int]:
    """Return the new tokens of one row in a batch of its own."""
    inputs = tokenizer(request.prompt, return_tensors="pt")
    output = model.generate(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        max_new_tokens=request.max_new_tokens,
        do_sample=False,
    )
    tokens: list[int] = output[0, inputs["input_ids"].shape[1] :].tolist()
    return tokens
