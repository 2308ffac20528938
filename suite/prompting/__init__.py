"""How a text becomes a multiple-choice question, and how an answer is read.

Text and token ids only: a tokenizer comes in from outside and nothing here imports torch, so the
parent process may look at a prompt as well as a trial's child, and an endpoint is asked with
the same words as a local model.
"""
