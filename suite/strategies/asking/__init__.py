"""A multiple-choice question asked: option scoring, generation, servers.

`zero_shot` declares the strategy and says what its hyperparameters are. From there:

- a model that is here: `prompted` has the predictors, `option_scoring` scores, over `prompt_batch`,
  `conversion` makes a classification head of it, `thinking` reads what `generation` writes;
- what a prompt shows and what is taken out of an answer: `drawn` and `neighbours` (near by
  `nearness` or `embedded_nearness`), `priors`;
- what is kept of it: `kept_prompter`, in the schemas of `settings`;
- a model behind a server: `endpoint_predictor`;
- a decision server: `decision`, with its questions in `decision_question`, asked by
  `decision_predictor`, in two levels by `decision_levels`;
- any other question that a served winner is asked: `typed_questions`.

The words of a prompt and its tokens are made one room below, in `suite.prompting`.
"""
