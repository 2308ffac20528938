"""Asks a model behind a server, by chat or for decisions: vLLM, llama.cpp, or one for hire.

asking.py     what both have in common: order, concurrency, what is asked only once
client.py     a server of OpenAI's chat completions
decider.py    a decision server: its shape, its limits, its answers
decision_shapes.py  the two shapes of a decision request, and what is taken from a response
background.py the event loop beside the threads that ask
patience.py   one request and its tries: waits, retries, deadlines
manners.py    what a server refuses of a question, learnt by changing one thing at a time
exchange.py   one exchange over HTTP and what its response amounts to
answer.py     what a server sent, as values
address.py    where it is, and the key it is shown
memory.py     what was asked before, by what was really asked
kept.py       answers on disk
consent.py    whether a server may be asked at all
reach.py      whether a model can be had at all
"""

from suite.endpoint.address import base_address
from suite.endpoint.answer import Answer
from suite.endpoint.asking import Counts
from suite.endpoint.client import Endpoint, Messages

__all__ = ["Answer", "Counts", "Endpoint", "Messages", "base_address"]
