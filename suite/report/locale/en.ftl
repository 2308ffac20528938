### What a report says in English. A phrase may use another one ({ n_trials }), which sees the same values.


## How many

n_arms = { $arms ->
    [one] { $arms } arm
   *[other] { $arms } arms
}
n_trials = { $trials ->
    [one] { $trials } trial
   *[other] { $trials } trials
}
n_tasks = { $tasks ->
    [one] { $tasks } task
   *[other] { $tasks } tasks
}
n_studies = { $studies ->
    [one] { $studies } study
   *[other] { $studies } studies
}
n_classes = { $classes ->
    [one] { $classes } class
   *[other] { $classes } classes
}
n_rows = { $rows ->
    [one] { $rows } row
   *[other] { $rows } rows
}
n_training_rows = { $training ->
    [one] { $training } training row
   *[other] { $training } training rows
}
n_test_rows = { $test ->
    [one] { $test } test row
   *[other] { $test } test rows
}
n_seeds = { $seeds ->
    [one] { $seeds } seed
   *[other] { $seeds } seeds
}

## How things are joined

and = { " " }and{ " " }
or = { " " }or{ " " }
languages_and = { " " }and{ " " }
comma = ,{ " " }
semicolon = ;{ " " }
colon = :{ " " }
stop = .{ " " }
end = .
space = { " " }
costs_and = { " " }and{ " " }
axis_log = { $title } (log)
missing = –
yes = yes
no = no
none = none

## Numbers with a unit

unit_rps = { $n } texts/s
unit_seconds = { $n } s
unit_minutes = { $m } min { $s } s
unit_hours = { $h } h { $m } min
unit_ms = { $n } ms

## The frame of every page

html_lang = en
eyebrow = Text classification study
columns = Columns
legend = What the colours and marks mean
columns_shown = Columns of this table
contents = Contents
skip = Skip to the answer
noscript = Charts and sorting need JavaScript; every table below reads without it.
made_by = Written by suite { $version }.
kept_fresh = Written at { $at }; loads itself again every { $seconds } s.
theme_auto = Theme: system
theme_light = Theme: light
theme_dark = Theme: dark
copy = Copy
copied = Copied
sort_hint = Click a heading to sort.
filter_all = all arms
filter_states = all states
filter_arms = Filter arms
filter_families = all families
show_more = Show more
shown_of = { $shown } of { $total }
choose_arm = Arm

## The index

index_title = Studies
index_intro = { n_studies }, each on its own page.
index_across = Compare the arms across these studies
answer_column = Answer
best_arm = Best

## What things are called

task = Task
study = Study
created = Created
model = Model
family = Family
family_classic = classic
family_static = static
family_encoder = encoder
family_decoder = decoder
family_decision = decision model
family_combined = combination
trial = Trial
trials = Trials
state = State
state_complete = complete
state_pruned = pruned
state_fail = failed
state_running = running
state_waiting = waiting
hyperparameter = Hyperparameter
hyperparameters = Hyperparameters
split = Split
split_train = train
split_validation = validation
split_test = test
rows = Rows
rows_line = { $train } train · { $validation } validation · { n_test_rows }
class = Class
count = Rows
best_score = Best score
validation_rows = validation rows
note = Note
reason = Reason
reason_unknown = no reason was recorded
no_answer = no answer

## The answer

answer_title = The answer
banner_sample = Bundled sample, not real data
banner_sample_more = A seeded generator wrote these rows so that the suite can be tried without a download. Every number on this page describes these rows, none describes real data.
answer_missing = { $arms ->
    [one] No { $families } arm could be compared: the only one was refused or retired (the reason is listed).
   *[other] No { $families } arm could be compared: every one was refused or retired ({ $arms } in all; the reasons are listed).
}
chosen_of = Of several trials the best on validation was chosen, which flatters its score there; its score on test is free of that, and of a model with more rows where validation was trained on too: { $arms }.
chosen_of_arm = { $arm }, best of { $n }, { $validation } on validation and { $test } on test
near_left_out = { $n ->
    [one] Without the { $n } test row that training nearly held: { $arms }.
   *[other] Without the { $n } test rows that training nearly held: { $arms }.
}
near_left_out_little = { $n ->
    [one] Without the { $n } test row that training nearly held, no score changes by more than { $most }.
   *[other] Without the { $n } test rows that training nearly held, no score changes by more than { $most }.
}
near_left_out_arm = { $arm } { $score } ({ $whole } with them)
leans = On validation { $arms }. { $helps }
leans_arm = { $arm } names { $label } for { $named } of the rows, and { $occurs } are it
leans_help_asked = Where a model is asked, calibration: batch and score: words or both take such a liking out.
leans_help_decided = Where a decision model is asked, descriptions: words, another order or form: yes_no may take it out.
leans_help_trained = What was trained has hardly learned: more passes, smaller batches or a higher learning rate would help.
tokens_of_prompts = Tokens of a prompt, on average: { $arms }.
tokens_of_prompt = { $arm } { $whole }
tokens_read_anew = { $arm } { $whole }, of which { $read } are read anew for each text
answer_opened_elsewhere = { $n ->
    [one] The test split was opened { $n } time by studies of this storage, also by { $studies }: what was learned there may have led here.
   *[other] The test split was opened { $n } times by studies of this storage, also by { $studies }: what was learned there may have led here.
}
answer_openings = { $n ->
    [one] The test split has been opened once.
   *[other] The test split has been opened { $n } times; each look makes its score a little more flattering.
}
# How a warning of the audit ends that stands before all else; as the told sentence has it.
ends_two_purposes = one split serves two purposes
answer_sample = These are figures of the bundled sample, whose rows a generator wrote: on real data every one of them will differ.
answer_infeasible = No arm meets the bounds ({ $bounds }); what follows is chosen among all.
answer_unsure = No arm meets the bounds ({ $bounds }) for certain; what follows is chosen among those that may.
take = Take { $arm }.
take_for_now = Take { $arm } for now.
gives_test = On the test split it scores { $metric } { $f1 } (95 % interval { $low }–{ $high }) and { $other } { $accuracy }
gives_test_best = It has the { way_highest } score on the test split: { $metric } { $f1 } (95 % interval { $low }–{ $high }), with { $other } { $accuracy }
gives_validation_best = It has the { way_highest } score on validation: { $metric } { $f1 }, with { $other } { $accuracy }
gives_validation = On validation it scores { $metric } { $f1 } and { $other } { $accuracy }
gives_trained = ; training took { $time }
gives_serves = ; it answers { $rps }
best_adds = { $best } scores best: { $gap } { way_more } { $metric }, which { $chance }{ $costs }.
best_adds_within = { $best } scores best within the bounds: { $gap } { way_more } { $metric }, which { $chance }{ $costs }.
best_adds_nothing = { $best } scores the same{ $costs }.
costs_at = , at { $costs }
costs_training = { $times } the training time
costs_speed = { $times } the speed
cheapest_taken_all = No arm was cheaper to train.
cheapest_taken_useful = Of the ranked arms that { way_useful }, none was cheaper to train.
cheapest_all = The cheapest to train was { $arm } ({ $costs }); it scores { $scores }.
cheapest_useful = Of the ranked arms that { way_useful }, the cheapest to train was { $arm } ({ $costs }); it scores { $scores }.
scores_lower = { $gap } { way_lower }
scores_lower_tested = { $gap } { way_lower }, which { $chance }
scores_higher = { $gap } { way_higher }
scores_same = the same
use_it = Use it
use_predict = Classify a text
use_serve = Serve it over HTTP
use_export = Export it as a folder
use_text = a text of yours
answer_within = Within the bounds ({ $bounds }):{ " " }
answer_nothing = No arm has finished a trial yet, so there is nothing to rank.
answer_single = { $arm } is best on the test split: { $metric } { $f1 }, { $gap } { way_more_above } { $second }, which { $chance }.
answer_lead = { $arm } is best on the test split: its lead of { $gap } over { $second } { $chance }.
answer_only = { $arm } is the only arm with a test score, so it is compared with nothing: { $metric } { $f1 }.
answer_only_within = { $arm } has { $metric } { $f1 } on the test split; no other arm within them was tested.
recommended_other = Recommended: { $arm }, the cheapest to serve ({ $rps }) of the arms that { $best } does not significantly beat and that lie at most { $margin } { way_below } it
recommended_below = ; it could be { $gap } { way_below }
recommended_best = Recommended: { $arm }; of the arms that it does not significantly beat and that lie at most { $margin } { way_below } it, none is cheaper to serve
recommended_one_training = Recommended of these trained models: { $arm }; it was trained once, which says nothing of another training
recommended_no_speed = Recommended of these trained models: { $arm }; no serving speed was measured in the finals, so the best score decides
recommended_no_finals = Recommended of these trained models: { $arm }, until the finals
answer_tie = { $arms } share rank 1: on the test split they cannot be told apart, and the lead of { $gap } over { $second } { $chance }.
answer_tie_same = { $arms } share rank 1: on the test split they cannot be told apart.
answer_tie_within = { $arms } cannot be told apart on the test split; the lead of { $gap } over { $second } { $chance }.
answer_tie_within_same = { $arms } cannot be told apart on the test split.
answer_member = { $arm } ({ $metric } { $f1 }, 95 % interval { $low }–{ $high })
answer_member_next = { $arm } ({ $f1 }, { $low }–{ $high })
answer_more = { $n } more
claim = What is said of an arm holds for its training at the hyperparameters that this search found, on these training rows; this choice and these rows are held fixed.
seeds_mean = A score on test is the mean of an arm's trainings ({ $n } of them, each with a seed of its own); what is exported is the first one, chosen before test was opened.
refit_all = For test every arm was trained on train and validation together.
refit_some = For test { $arms } were trained on train and validation together, the others on train alone.
one_training = Trained once: { $arms }. Such a score is that of this trained model, and no verdict about the arm.
one_training_why = Trained once: { $arms } ({ $reason }). Such a score is that of this trained model, and no verdict about the arm.
settled_by = Between { $a } and { $b } a difference of { $smallest } would be found here with probability { $power }; finding one of { $margin } would take about { $ways }.
settled_rows = { $rows ->
    [one] { $rows } test row
   *[other] { $rows } test rows
}
settled_trainings = { $n ->
    [one] { $n } training of each
   *[other] { $n } trainings of each
}
settled_neither = Between { $a } and { $b } a difference of { $smallest } would be found here with probability { $power }; for one of { $margin } neither more test rows alone nor more trainings alone would do.
settled_already = Between { $a } and { $b } a difference of { $smallest } would be found here with probability { $power }, and so one of { $margin }.
interval_narrow = The rows of test for each class, in the harmonic mean, are { $rows }: for fewer than { $least } the intervals of scores are too narrow.
answer_looks = The verdicts stand after { $n } looks at test, and p is not corrected for that.
chance_models = { $what } between these trained models
answer_tie_ranges = Any of these may be the best: { $arms }. None of them is beaten by more than chance; the lead of { $gap } over { $second } { $chance }.
answer_tie_ranges_same = Any of these may be the best: { $arms }. None of them is beaten by more than chance.
spread_of_kind = { $n ->
    [one] Of the kind of { $arm } the scores of { $n } training ({ $arms }) have a standard deviation of { $deviation }.
   *[other] Of the kind of { $arm } the scores of { $n } trainings ({ $arms }) have a standard deviation of { $deviation }.
}
spread_of_kind_earlier = { $n ->
    [one] Of the kind of { $arm } the scores of { $n } training in earlier studies ({ $arms }) have a standard deviation of { $deviation }.
   *[other] Of the kind of { $arm } the scores of { $n } trainings in earlier studies ({ $arms }) have a standard deviation of { $deviation }.
}
combined_cascade = { $arm } asks { $first } first and { $second } where the largest probability of that answer is below { $threshold }: of the test texts { $first } answers { $share }.
combined_ensemble = { $arm } is the weighted mean of { $members }.
combined_member = { $arm } ({ $weight })
combined_chosen = { $rows ->
    [one] It was chosen on { $rows } row that no member had seen; where a row did not choose it has { $held_out }, the best arm alone { $alone }.
   *[other] It was chosen on { $rows } rows that no member had seen; where they did not choose it has { $held_out }, the best arm alone { $alone }.
}
combined_time = What a combination takes to train is the sum of its members' times; nothing was trained for it.
answer_validation = On validation alone { $arm } leads with { $metric } { $f1 }, { $gap } { way_more_above } { $second }; the test split has not been opened, so whether that is more than chance is not known yet.
answer_validation_same = On validation alone { $arm } and { $second } score the same, { $metric } { $f1 }; the test split has not been opened.
answer_interval = { $f1 } (95 % interval { $low }–{ $high })
answer_stale = The study searched on after the finals, so they are stale: a better trial may exist that was not tested.
answer_validation_only = On validation alone { $arm } has { $metric } { $f1 }, and no other arm has a result; the test split has not been opened.
answer_validation_only_within = on validation alone { $arm } has { $metric } { $f1 }, and no other arm within them has a result; the test split has not been opened.
bound_min_rps = at least { $value } texts/s
bound_max_train_seconds = trained within { $value }
bound_max_flips = at most { $value } of answers steered by injected text
bound_other = { $name } { $value }
more_than_chance = is more than chance
more_than_chance_p = is more than chance (p { $p })
could_be_chance = could be chance
could_be_chance_p = could be chance (p { $p })
tiles_versus = Multiples are against { $arm }.
role_best = best
role_recommended = recommended
role_tied = tied for best
role_open = may be best
role_second = runner-up
role_fastest = fastest to serve
role_thrift = cheapest to train
role_useful = of the ranked arms that { way_useful }

## Metrics and axes

metric_rank = Rank
metric_arm = Arm
metric_on_test = Test { $metric }
metric_test_interval = 95 % interval
metric_on_validation = Validation { $metric }
metric_train_seconds = Training
metric_offline_rps = Texts/s
metric_p50_ms = p50
metric_p90_ms = p90
metric_peak_memory_bytes = Peak memory
metric_parameters = Parameters
metric_trials = Trials
metric_steered = Steered by injected text
metric_settings = Best hyperparameters
axis_train_seconds = training time, s
axis_offline_rps = texts per second, Offline
axis_on_test = { $metric } on test
axis_on_validation = { $metric } on validation
metric = Metric
value = Value

## The leaderboard

leaderboard = Leaderboard
leaderboard_test = Ranked on the test split: an arm's rank is one more than the number of arms significantly better than it. Arms with the same number of such arms share a rank ('='), which does not say that they are equal.
leaderboard_ranges = Sorted by score on the test split. An arm's rank is a range: from one more than the arms that beat it by more than chance, to all ranked arms less those that it beats. A dash stands where there is no verdict about the arm.
leaderboard_validation = Ordered on validation only: the finals have not been run, the test split is unopened, and no claim about chance is made.
validation_folds = Validation: { $n } folds, pooled; as many as make folds of validation's size.
validation_folds_some = Validation: { $n } folds, pooled, for { $arms }; beside arms that have one part held out, what is shown and compared before finals is the first fold alone, which is that part.
leaderboard_empty = No arm has a result yet.
by_validation = by validation
tied_with = shares the rank with { $arms }
flag_stale = stale
flag_stale_more = the study searched on after these finals
flag_contended = contended
flag_contended_more = measured while others computed on the machine
flag_unanswered = { $share } unanswered
flag_unanswered_more = rows that were not answered; they count as wrong
flag_infeasible = breaks bounds
flag_infeasible_more = does not meet the recipe's bounds
flag_unsure = bounds may not hold
flag_unsure_more = a figure's interval reaches to both sides of a bound, or it was not measured: not recommended
flag_invalid = not valid
flag_invalid_more = LoadGen did not accept the run (too short for its rules)
flag_refused = refused
flag_retired = retired
flag_short = fewer rounds
flag_one_training = this trained model
flag_one_training_more = trained once: no verdict about the arm
flag_may_be_best = may be best
may_be_best = no arm beats it by more than chance
flag_deterministic = repeats itself
flag_deterministic_more = training again gives the same model, so one training says all
flag_no_final = not tested
flag_no_final_more = has no test score
flag_disagrees = disagrees
flag_failed = failed
trials_pruned = { $n } ({ $p } pruned)
trials_title = { $n } finished: { $c } complete, { $p } pruned, { $f } failed
comparisons = Which differences are real
comparisons_intro = Paired tests on the same test rows; p is Holm-adjusted over all pairs, and below { $level } the better arm counts as better.
comparisons_family = All pairs of ranked arms, as one family: intervals hold for all of them together at 95 %, and two arms differ where theirs excludes 0, which is where p is below { $level }. The doubt about a difference has a part from the test rows and one from the trainings.
pair_a = Arm
pair_b = against
difference = Difference in { $metric }
interval = 95 % interval
interval_low = 95 % low
interval_high = 95 % high
p_adjusted = p (Holm)
p_family = p
degrees = Degrees of freedom
variance_parts = Variance: rows · trainings
verdict = Verdict
verdict_real = { $arm } is better
verdict_chance = could be chance
verdict_models = { $what } (these trained models)
verdict_looks = Verdict after { $n } looks
by_length = Macro-F1 on test by the length of texts
by_length_intro = With 95 % intervals, on as many rows as stand beside them; of fewer than 10 nothing is said. Each model counts in its own tokens, so that its rows of a length need not be another's; one that has none in words.
by_length_most = ≤ { $most }
by_length_between = { $low }–{ $most }
by_length_above = > { $above }
by_length_rows = { $n ->
    [one] { $n } row
   *[other] { $n } rows
}
by_length_unit = length in
by_length_length = length
by_length_count = rows
length_in_tokens = tokens
length_in_words = words
slices = Parts of test
slices_about = What { $arm } scores on parts of the test rows, with 95 % intervals; of fewer than 10 rows nothing is said. A part is held against other rows of the same classes, classes by their rows against the other classes' mean F1, and p is corrected for the number of parts.
slices_by = parted by
slices_value = part
slices_f1 = macro-F1
slices_right = right
slices_expected = right elsewhere
slices_p = p (all parts)
slices_length = words
slices_language = language
slices_class_size = rows to learn a class
slices_none = (none)
slices_no_language = (no letters)
slices_chance = { $n ->
    [one] That the 1 part that was compared is worse or better could be chance.
   *[other] That any of the { $n } parts is worse could be chance.
}
slices_weak = { $arm } is weaker where { $by } is { $value }: { $right } of { $rows ->
    [one] { $rows } row
   *[other] { $rows } rows
} are right, and { $expected } elsewhere (p { $p }, of { $n ->
    [one] { $n } part
   *[other] { $n } parts
}).
slices_weak_classes = { $arm } is weaker on classes with { $value } rows to learn from: their mean F1 is { $f1 } on { $rows ->
    [one] { $rows } row
   *[other] { $rows } rows
}, and { $elsewhere } that of the other classes (p { $p }, of { $n ->
    [one] { $n } part
   *[other] { $n } parts
}).
slices_not_compared = No part can be compared: too few rows, or no other rows of the same classes.
slices_narrow = { $n ->
    [one] The interval of { $n } part is too narrow: it has
   *[other] The intervals of { $n } parts are too narrow: they have
} fewer than { $least } rows for each class, in the harmonic mean.
slices_drift = A classifier tells { $one } from { $other }: AUROC { $auroc } ({ $interval }), where .5 is a coin. What holds on one need not hold on the other.
slices_no_drift = A classifier does not tell { $one } from { $other } by more than chance: AUROC { $auroc } ({ $interval }).
slices_few = { $n ->
    [one] Of { $n } class little can be said, for it has fewer than { $least } rows
   *[other] Of { $n } classes little can be said, for they have fewer than { $least } rows
} to learn from or in test: { $classes }. Their F1 moves with single rows; whether one arm is better there than another can't be told.
slices_few_class = { $label } ({ $train } to learn from, { $test } in test)
slices_left_out = { $n ->
    [one] { $n } value of { $column } is left out: it has too few rows, or others have more.
   *[other] { $n } values of { $column } are left out: they have too few rows, or others have more.
}
slices_more = By language and by any column of the source, and whether the splits differ:
balanced_best = Rare classes: of the ways that were searched to make up for them, { $way } has { $arm }'s best trial on validation ({ $ways }).
balanced_none = Rare classes: no way that was searched to make up for them has a better trial on validation than none, of { $arm } ({ $ways }).
balanced_way = { $way } { $score }, { $n ->
    [one] { $n } trial
   *[other] best of { $n } trials
}
balanced_chance = On so few validation rows its difference from none may be chance.
balanced_moved = Moving classes after training takes its macro-F1 from { $before } to { $after }.
taught = What distilling bought
taught_by = { $arm } learned from { $by } ({ $study }), which answered { $texts }{ $own }.
taught_texts = { $n ->
    [one] { $n } text without a label
   *[other] { $n } texts without labels
}
taught_own = { $n ->
    [one] {" "}and { $n } training row that it had not seen
   *[other] {" "}and { $n } training rows that it had not seen
}
taught_gain = Its { $metric } is { $score }; without the teacher it is { $without }.
taught_score = Its { $metric } is { $score }.
taught_teacher = The teacher's { $metric } is { $score }.
taught_speed = It answers { $own } texts a second, its teacher { $theirs }.
taught_asked = { $n ->
    [one] It took { $n } call to the teacher's server; answering takes none.
   *[other] It took { $n } calls to the teacher's server; answering takes none.
}
taught_saved = The teacher is not asked any more.
energy_read = Energy of one training and its scoring, by { $by } for the whole machine: { $arms }.
energy_of = { $arm } { $kwh } kWh
energy_estimated = Estimated from TDP, and so not told: { $arms }.
energy_contended = Read while others computed, and so not told: { $arms }.
energy_served = Energy of one text Offline, by { $by } for the whole machine: { $engines }.
energy_of_text = { $engine } { $joules } J
money = What the arms cost
money_intro = A million texts are priced at the measured speed, with its 95 % interval, or by the tokens that a server counted; what was not measured has no price. Trials that ran at the same time share the hour.
money_hour = An hour of the machine is { $hour }.
money_least = ≥: failed trials may have asked, too.
money_training = Training, { $currency }
money_search = Search, { $currency }
money_per_million = A million texts, { $currency }
money_no_price = no price
money_no_speed = no speed
money_no_tokens = no tokens counted
money_pays = { $own } on a machine of your own that runs all day costs less than asking { $asked } from { $texts } texts a day on; it answers up to { $most }.
money_unsure = { $own } on a machine of your own that runs all day would cost less than asking { $asked } from { $texts } texts a day on; whether it answers as many is open, at its speed it is about { $most }.
money_never = { $own } on a machine of your own never costs less than asking { $asked }: that takes { $texts } texts a day, and it answers { $most }.
money_repaid = Its training and search are repaid after { $texts } texts.
every_metric = Every metric on test
every_metric_intro = Each with its own 95 % interval. Arms are compared by { $metric } alone: no verdict is drawn from the others.

## Texts that fit no class

scope = Texts that fit no class
scope_intro = How well each arm tells the { $outside } test texts that fit no class from the { $inside } that do. Which score judges is chosen on validation, and { $where ->
    [calibration] the cut that lets in 95 % of the texts that fit on the rows set aside for calibration.
   *[validation] so is the cut that lets in 95 % of the texts that fit.
}
scope_scores = Every score that an arm has, on test; the one that judges is in bold type.
scope_auroc = AUROC
scope_fpr = outside let in at 95 % recall
scope_right = let in and right
scope_let_in = outside let in
scope_score = judged by
scope_by_probability = largest probability
scope_by_class = probability of their class
scope_by_energy = energy
scope_by_distance = distance to the nearest class
scope_by_neighbours = nearness of training texts

## When a model answers alone

deciding = What it may decide alone
deciding_intro = A model that knows when it is unsure answers the other texts alone and passes the rest on.
deciding_none = { $command } finds from which probability on, so that answers are wrong at most as often as you allow.
decided_answers = { $arm } answers { $share } of texts alone; of those at most { $most } are wrong, at { $confidence } confidence. It passes the rest on.
decided_none = { $arm } passes every text on: of no threshold can it be shown that at most { $most } of its answers are wrong, at { $confidence } confidence.
decided_enough = { $rows ->
    [one] { $rows } row would do, if it goes on erring as it does where it is surest.
   *[other] { $rows } rows would do, if it goes on erring as it does where it is surest.
}
decided_answers_of_all = { $arm } answers { $share } of texts alone; of all texts at most { $most } are answered wrongly, in the mean. It passes the rest on.
decided_none_of_all = { $arm } passes every text on: with any answer more than { $most } of all texts may be answered wrongly, in the mean.
decided_enough_of_all = { $rows ->
    [one] { $rows } row without an error would do.
   *[other] { $rows } rows without an error would do.
}
decided_test_of_all = That is { $share } of all texts there.
decided_never = No number of rows would do: it errs too often where it is surest, or never answers.
decided_by_value = { $arm } answers alone where its probability is { $threshold } or more: from there on an answer is worth no less than passing on.
decided_by_pairs = { $arm } answers alone where the answer is worth no less than passing on, weighed text by text.
decided_certified = certified
decided_estimated = estimated
decided_worth = worth it
decided_certified_more = { $rows ->
    [one] Certified on { $rows } row that was set aside for it and that nothing else had seen.
   *[other] Certified on { $rows } rows that were set aside for it and that nothing else had seen.
}
decided_estimated_more = { $rows ->
    [one] Estimated, not certified: on the { $rows } row that its trials were scored on. Rows set aside before the search certify it (calibration in the recipe).
   *[other] Estimated, not certified: on the { $rows } rows that its trials were scored on. Rows set aside before the search certify it (calibration in the recipe).
}
decided_tried = { $rows ->
    [one] Tried on { $rows } row that was set aside for it.
   *[other] Tried on { $rows } rows that were set aside for it.
}
decided_test = On test it answers { $share }, and { $wrong } of these answers are wrong.
decided_saves = Work saved per 100 texts, on test: { $saved }.
decided_moved = Classes are moved: where the offsets were not fitted, macro-F1 is { $after } with them and { $before } without.
decided_not_moved = Classes are not moved: where the offsets were not fitted, macro-F1 is { $after } with them and { $before } without.
decided_moved_test = On test macro-F1 is { $after } with them and { $before } without.
decided_sets = Sets that are to hold the true class for { $coverage } of texts hold it for { $holds } of test; their mean size is { $size }.
decided_answering = answers alone
decided_wrong = of these wrong
decided_at_most = wrong at most
decided_threshold = from probability
decided_test_answers = answers on test
decided_test_wrong = of these wrong on test
decided_saved = work saved per 100 texts
decided_ground = claim
coverage_intro = Share of the answers that are wrong, where only so large a share of the test texts is answered, the surest first. The area under a curve is AURC.
coverage_none = Finals kept no probabilities of test texts.
axis_coverage = share of texts answered
axis_selective_error = wrong among answered
finding_coverage = { $arm }: of the surest { $share } of texts { $error } are wrong, of all of them { $all }

## Hard rows

alike = Hard for whom
alike_intro = Whether two arms find the same test rows hard: Spearman's rank correlation of their losses, row by row. Another seed finds other rows hard, too: the most that two arms can have in common is the geometric mean of what two seeds of each have.
alike_told = { $a } and { $b }: { $rho } ({ $interval }).
alike_told_most = { $a } and { $b }: { $rho } ({ $interval }), of { $most } at most: as much as two seeds of each of them have.
alike_rho = rank correlation
alike_most = at most, by two seeds of each
subset = Training rows
subset_told = { $rows ->
    [one] { $part } by { $by } ({ $judges }): { $rows } row of { $of } that were judged
   *[other] { $part } by { $by } ({ $judges }): { $rows } rows of { $of } that were judged
}
subset_suspects = Of their labels { $share } are suspected to be wrong.
subset_draw = { $told }, draw { $n }
difficulty_easy = easy third
difficulty_medium = medium third
difficulty_hard = hard third
difficulty_ambiguous = ambiguous third
difficulty_random = random rows
difficulty_by_perplexity = perplexity
difficulty_by_zero_shot = zero-shot margin
difficulty_by_dynamics = training dynamics
difficulty_by_agreement = agreement of arms
parts = Which rows to train on
parts_intro = { $of ->
    [one] { $task }: parts by { $by } ({ $judges }) of { $of } row that was judged, of equal size and class mix, trained for the same steps. Below each score is the difference to random rows with its 95 % interval; the parts of an arm are one family, and what may be chance is grey.
   *[other] { $task }: parts by { $by } ({ $judges }) of { $of } rows that were judged, of equal size and class mix, trained for the same steps. Below each score is the difference to random rows with its 95 % interval; the parts of an arm are one family, and what may be chance is grey.
}
parts_gains = { $rows ->
    [one] { $arm } on { $rows } row: { $part } gains { $gap } ({ $low }–{ $high }) over random rows.
   *[other] { $arm } on { $rows } rows: { $part } gains { $gap } ({ $low }–{ $high }) over random rows.
}
parts_loses = { $rows ->
    [one] { $arm } on { $rows } row: { $part } loses { $gap } ({ $low }–{ $high }) against random rows.
   *[other] { $arm } on { $rows } rows: { $part } loses { $gap } ({ $low }–{ $high }) against random rows.
}
parts_suspects = Labels that are suspected to be wrong: { $shares }.
parts_suspects_of = { $part } { $share }
parts_chance = No part differs from random rows by more than chance.
parts_draws = Each part was drawn at least { $n } times: this holds for other draws of its rows.
parts_drawn_once = Where a part was drawn once, this holds for the very rows that were drawn, and with others of the same part it may be otherwise.
parts_drawn = draws
parts_alike = Do arms find the same test rows hard? Trained on the most random rows, { $told }

## Under a stranger's hand

stress = Under a stranger's hand
stress_intro = { $n ->
    [one] Of { $n } test text, changed as strangers change them, the trained models were asked again. Asked arms read a text as a part of their prompt, trained ones don't.
   *[other] Of { $n } test texts, changed as strangers change them, the trained models were asked again. Asked arms read a text as a part of their prompt, trained ones don't.
}
stress_none = { $command } asks the trained models about texts with slips, in capitals, cut off, and with instructions injected.
stress_flipped = Answers that became others
stress_flipped_intro = Steered by injected text is the share of answers that instructions turn into the class which they name, of those that were not it before, less the share that harmless text of their length turns so on the same rows.
stress_lost = Macro-F1 that was lost
stress_lost_intro = On the same rows, the changes of an arm being one family; what may be chance is grey.
stress_plain = as it is
stress_typos = typos
stress_case = case
stress_cut = half cut off
stress_homophones = homophones
stress_traditional = traditional forms
stress_harmless = harmless text
stress_name = a class named
stress_instruction = instruction
stress_instructions = What each instruction did
stress_instructions_intro = Share of answers that became the class which the instruction names, of those that were not it before. Harmless text names none: its share is of the class which the row's instructions name, and is what chance does.
stress_harmless_row = (harmless text of an instruction's length)
stress_steered_most = Instructions behind a text steer { $arm } most: { $share } of its answers become the class that they name, beyond those that harmless text of their length turns so ({ $interval }); of the name alone { $alone } do.
stress_steered_least = They steer { $arm } least: { $share } ({ $interval }); of the name alone { $alone }.
stress_steered_only = Instructions behind a text turn { $share } of the answers of { $arm } into the class that they name, beyond those that harmless text of their length turns so ({ $interval }); of the name alone { $alone } do.
stress_unsteady = { $arm } answers { $share } of the texts as they are otherwise than in the finals: so much of what flips is its own.
stress_others = { $n ->
    [one] { $arm } was asked about { $n } row, others than the rest.
   *[other] { $arm } was asked about { $n } rows, others than the rest.
}
stress_left_out = Not done: { $changes } ({ $reason }).
stress_row_change = change
stress_row_flipped = flipped
stress_row_lost = macro-F1 lost
stress_row_steered = steered

## Not compared

absent = Not compared
absent_none = Every arm took part, and no trial failed.
refused = Refused arms
retired = Retired arms
without_result = Arms without a result
failed = Failed trials
reason_waiting = no trial has finished yet
reason_all_pruned = { $trials ->
    [one] the one finished trial was pruned
   *[other] all { $trials } finished trials were pruned
}
reason_all_failed = { $trials ->
    [one] the one finished trial failed
   *[other] all { $trials } finished trials failed
}
reason_none_complete = no trial is complete: { $p } pruned, { $f } failed
and_more_groups = { $n ->
    [one] and { $n } more reason, in the JSON
   *[other] and { $n } more reasons, in the JSON
}

## Every chart

chart_wait = The chart is being drawn …
chart_old = This browser is too old to unpack the charts; their values are in the tables and in the JSON file.
data_show = Show data
data_hide = Hide data
data_csv = Download CSV

## Quality against cost

charts = Quality against cost
charts_intro = The line joins the arms that no other arm beats on both axes. Colour is the arm, shape the family.
chart_rps = { $Metric } against texts per second
chart_time = { $Metric } against training time
chart_none = No arm has both figures yet.
chart_left_out = Not drawn for want of a figure: { $arms }.
about_trade_off = { $y } against { $x }, with 95 % intervals where test was scored. { way_up } and towards the cheaper side is better.
bubbles = The area of a point is peak memory while training.
pareto = Pareto front
front_is = On the front: { $arms }.
front_none = No arm drawn keeps the bounds for certain: there is no front.
finding_only = Only { $arm } has both figures
finding_speed = { $arm } serves { $times } as many texts as { $best }, for { $gap } { way_less } { $metric }
finding_speed_level = As far as was measured { $arm } serves the most texts, for { $gap } { way_less } { $metric } than { $best }
finding_speed_same = { $arm } is both the best and the fastest to serve
finding_speed_same_drawn = Of the arms drawn, { $arm } is both the best and the fastest to serve
finding_time = { $best } takes { $times } the training time of { $arm }, for { $gap } { way_more } { $metric }
finding_time_same = { $arm } is both the best and the cheapest to train
finding_time_same_drawn = Of the arms drawn, { $arm } is both the best and the cheapest to train

## Published numbers

references = Published numbers
references_intro = Drawn as lines only where the test data and the training size match ours; the others are listed with what differs.
references_accuracy = Dotted lines are accuracy; they stand on the { $metric } axis only for orientation.
drawn = Drawn in the charts
drawn_later = Comparable, and drawn once the finals have run
footnoted = Not comparable
ours = Ours, best
source = Source
differs = What differs

## A learning curve

growth = Learning curve
growth_intro = { $n ->
    [one] Each size ({ $sizes } rows) is an ordinary study of a nested part of the training rows, with the same validation and test. Hyperparameters are searched at { $searched } rows and carried to the other sizes from the nearest of these. Models learn from these rows alone; validation, which chooses among trials, has { $validation } at every size.
   *[other] Each size ({ $sizes } rows, { $n } draws of each but the largest) is an ordinary study of a nested part of the training rows, with the same validation and test. Hyperparameters are searched at { $searched } rows and carried to the other sizes and draws from the nearest of these. Models learn from these rows alone; validation, which chooses among trials, has { $validation } at every size.
}
growth_crossing = Beyond a training size of about { $size }, { $above } is above { $below } ({ $span }).
growth_span = 95 %: { $low } to { $high }
growth_sooner = fewer than were looked at
growth_later = more than four times the largest size
growth_checked = { $n ->
    [one] As a check the scores at { $size } rows were predicted from sizes of at most { $known }: off by { $error }, and the interval holds { $held } of one prediction.
   *[other] As a check the scores at { $size } rows were predicted from sizes of at most { $known }: off by { $error } on average over { $n } arms, and the interval held { $held } of them.
}
growth_no_law = Of { $arms } no law is told: its sizes are fewer than four, or its scores don't grow.
growth_missing = Still missing: { $studies }.
growth_more_missing = { $n } more
growth_choice = With a training size of { $size }, { $cheapest } is the cheapest to serve that is not likely to lie more than the margin below the best, { $best }: { $score } by its law.
growth_choice_best = With a training size of { $size } take { $best }: { $score } by its law, and nothing that is cheaper to serve comes near.
growth_choice_unmeasured = With a training size of { $size }, { $best } is best: { $score } by its law. Of what comes near it not every arm's speed was measured, so which is the cheapest to serve is not told.
growth_finding_best = With a training size of { $size }, { $arm } scores highest, { $score }; by the laws no arm is likely to overtake another up to four times as many rows.
growth_finding_highest = With a training size of { $size }, { $arm } scores highest: { $score }.
growth_about = Points are scores on test, one for each draw of rows; lines are the laws through them (level - scale × (rows + shift)^-exponent) with the 95 % band of the score on these test rows, up to twice the largest size.
growth_axis_rows = training rows
growth_draw = draw
growth_carried = hyperparameters from
growth_training_title = What training takes by the rows
growth_training_about = Seconds of one training, each of a draw of rows.
growth_speed_title = Serving speed by the rows that were trained on
growth_speed_about = Texts per second, whole batches; measured once for each size.
growth_at = at { $size }
growth_error = check off by
growth_exponent = exponent
growth_advice = Which class's rows to label
growth_advice_intro = Half of a class's training rows were left out, several draws of them, and { $arm } was trained without; its law carries on what they brought. Intervals hold for all classes together, for other draws and other test rows. Rows of any class, as many left out at random, are the control.
growth_advice_none = Nothing is told yet: it takes a law of { $arm }, and its trainings without some rows.
growth_any = any class
growth_gain = { $n ->
    [one] { $n } more row of { $label }: { $gain } ± { $reach } { $metric }.
   *[other] { $n } more rows of { $label }: { $gain } ± { $reach } { $metric }.
}
growth_gain_none = { $n ->
    [one] { $n } more row of { $label }: nothing measurable (± { $reach } { $metric }).
   *[other] { $n } more rows of { $label }: nothing measurable (± { $reach } { $metric }).
}
growth_gain_once = { $n ->
    [one] { $n } more row of { $label }: { $gain } { $metric }; with one draw nothing tells what is chance.
   *[other] { $n } more rows of { $label }: { $gain } { $metric }; with one draw nothing tells what is chance.
}

## Several splits

splits = Several splits
splits_intro = Each split has a test of its own and a search of its own: hyperparameters found on one never saw its test. Intervals and verdicts are the corrected resampled t test's, those of pairs for all pairs together.
splits_folds = { $n ->
    [one] Done so far: one of the folds that together test every row.
   *[other] { $n } folds that together test every row, each searched on its own.
}
splits_holdout = { $n ->
    [one] Done so far: one of the splits.
   *[other] { $n } splits, a test drawn anew for each, each searched on its own.
}
splits_best = The best mean: { $arm }, { $mean }.
splits_above = It is better than { $arms }.
splits_level = The difference to { $arms } could be chance.
splits_missing = Still missing: { $studies }.
splits_mean = Mean
splits_deviation = Standard deviation
splits_pooled = All rows together
splits_done = Splits
splits_verdict = Against the best
splits_below = worse
splits_chance = could be chance

## Serving engines

engines = Serving engines
engines_intro = Each arm's kept checkpoint behind each engine, by MLPerf LoadGen. An engine that decides otherwise than the trained model on validation is not timed and ranks nowhere.
engines_bold = Bold: the arm's fastest valid engine in a scenario; machines are not compared.
engines_star = An asterisk: the arm's fastest valid engine in a scenario; machines are not compared.
agreement = Agreement
agreement_rows = { $n ->
    [one] on { $n } validation row
   *[other] on { $n } validation rows
}
f1_difference = Macro-F1 difference
single_p50 = SingleStream p50
single_p99 = SingleStream p99
offline_rate = Offline, texts/s
server_rate = Server, texts/s
server_within = random arrivals, p99 within { $bound }: measured { $p99 }
prepare_seconds = Preparing
fastest = fastest
fastest_more = nothing else that was measured on this machine is faster in this scenario
engine_stale = measured with trial { $n }, whose checkpoint is kept no more

## How they learned

learned = How they learned
learned_none = No trial has more than one checkpoint yet.
curves_intro = { $Metric } on validation at fractions of a trial's budget. Thick: the arm's best trial; faint and dotted: pruned.
curves_capped = { $shown } of { $total } curves are drawn: the best { $cap } of each arm.
axis_fraction = fraction of the budget
finding_curves = { $arm }'s best trial is within { $near } of its best score from { $share } of its budget on
finding_curves_rose = { $arm }'s best trial still gained { $gap } in the last part of its budget: more may help
finding_curves_fell = { $arm }'s best trial was at its best at { $share } of its budget, and { way_fell } by { $gap } after
finding_losses = { $arm }'s best trial first does better at { $share } of its budget than a guess that does not read
finding_losses_none = { $trials ->
    [one] { $trials } trial tells its losses, and is not its arm's best
   *[other] { $trials } trials tell their losses, none of them its arm's best
}
finding_losses_never = { $arm }'s best trial never does better than a guess that does not read
losses_intro = Mean of -ln of the labelled class' probability on validation, as above. Dashed: what the classes' shares as probabilities cost, the least that there is without reading.
finding_curves_none = { $trials ->
    [one] { $trials } trial has more than one checkpoint
   *[other] { $trials } trials have more than one checkpoint
}

## What mattered

importance = What mattered
importance_intro = Share of the differences in { $metric } that each hyperparameter explains within its arm (PED-ANOVA, arms with 8 complete trials or more).
importance_capped = The { $shown } most important of { $total } are drawn, alike many of each arm; the data has all.
importance_none = Importance needs eight complete trials of an arm; none has so many.
axis_importance = importance
finding_importance = In { $arm }, { $parameter } explains { $share } of the differences between trials
parallel_intro = Each line is a trial through its hyperparameters to its { $metric } on validation; blue is better, thick the best, dotted pruned.
finding_parallel = The best trial, { $n }, scored { $score } with { $parameter } = { $value }
slices_intro = { $Metric } on validation over each hyperparameter; faint: pruned, star: the best.
finding_slices = { n_trials } lie between { $low } and { $high } on validation
knobs_capped = { $shown } of { n_trials } are drawn: the best, and an even part of the rest.
axes_capped = { $shown } of { $total } hyperparameters are drawn, the most important first.
knobs_none = No arm has three scored trials with different hyperparameters.

## Where it errs

classes = Where it errs
classes_intro = Each arm's best trial, on { $split }. A row of the matrix is a true class; colour is the share of that class.
top_confusions = Most frequent confusions
no_confusions = No confusion: every row is right.
true_class = True class
predicted_class = Predicted as
share_of_class = Share of the class
true = true
predicted = predicted
confusion_intro = Rows are true classes, on { $split }; colour is the share of the class.
confusion_summed = Counts are summed over the { n_seeds } that each arm was trained with, so each row counts once for each of them.
confused_intro = The { $shown } of { n_classes } between which most rows of { $split } are confused; rows are true classes, colour is the share of the class.
finding_whole = All { n_classes }: { $share } of the rows lie on the diagonal
confusion_zoom = Rows are true classes, on { $split }; colour is the share of the class. Drag to zoom in: names appear once thirty classes are in sight. A double click shows all again.
finding_unanswered = { $rows ->
    [one] { $rows } row of { $true } was not answered ({ $share })
   *[other] { $rows } rows of { $true } were not answered ({ $share })
}
finding_confusion = { $true } is most often taken for { $predicted }: { n_rows }, { $share } of its class
finding_confusion_seeds = { $true } is most often taken for { $predicted }: { $share } of its class, over { n_seeds }
per_class_intro = F1 on { $split }, hardest class first, a point for each arm.
per_class_intervals = Its 95 % interval, precision and recall are shown by pointing; no verdict is drawn from a class.
precision_of = precision
recall_of = recall
per_class_capped = The { $shown } hardest of { n_classes }, by the mean over the arms; all are in the table.
per_class_table = F1 of all { n_classes }
finding_per_class = { $hard } is the hardest class (F1 { $low } on average), { $easy } the easiest ({ $high })
missed = Single errors
errors_count = { $n ->
    [one] { $n } of { n_test_rows } is missed by some arm of the finals, { $all } by every arm.
   *[other] { $n } of { n_test_rows } are missed by some arm of the finals, { $all } by every arm.
}
errors_shown = { $shown ->
    [one] { $shown } row is shown, those that most arms miss first.
   *[other] { $shown } rows are shown, those that most arms miss first.
}
errors_how = Their texts are shown by { $command }, and one by one by { $errors }.
errors_seed = Of an arm that was trained over several seeds it is the first one's answer.
errors_by = Missed by
errors_by_any = any arm
errors_by_all = every arm
errors_pair = Confusion
errors_pair_any = any confusion
errors_pair_of = { $true } → { $predicted }
missed_row = Test row (from 0)
missed_id = Id
missed_text = Text

## How sure it may be

calibration = How sure it may be
calibration_intro = How well each arm's probabilities hold on test, its own and as it answers. A temperature is fitted on rows that the answering models had not seen, and kept where it lowers the log-loss of rows that it was not fitted on; which class is the likeliest stays.
reliability_intro = Test rows in bins of equal mass by how sure the model is, against the share of them that is right; solid: as it answers, dotted: its own probabilities. On the dashed line a model is as often right as it says; below it, it is too sure.
reliability_capped = The first { $shown } of { $total } are drawn; the data and the table have all.
calibration_ece = calibration error
calibration_brier = Brier score
calibration_log_loss = log-loss
calibration_temperature = temperature
calibration_rows = fitted on rows
calibration_state = probabilities
calibration_own = its own
calibrated = as it answers
uncalibrated = its own
axis_confidence = probability of what was answered
axis_right = share that is right
finding_calibration = { $arm } was farthest from what it said, by { $before } on average; as it answers it is { $after } off
finding_calibration_kept = { $arm } is farthest from what it says, by { $before } on average, and keeps its own probabilities
finding_calibration_none = No arm answered with probabilities

## The search

search = The search
worker = Worker
timeline_intro = Each bar is a trial; faint: pruned, crossed: failed. The first began at { $began }.
timeline_capped = { $shown } of { n_trials } are drawn: the longest.
finding_timeline = { $workers ->
    [one] One worker ran { n_trials } in { $time }; { $idle } of its time had no trial on it
   *[other] { $workers } workers ran { n_trials } in { $time }; { $idle } of their time had no trial on it
}
axis_elapsed_seconds = seconds since the first trial began
axis_elapsed_minutes = minutes since the first trial began
axis_elapsed_hours = hours since the first trial began
start_seconds = start, s
end_seconds = end, s
states_intro = Trials of each arm by what became of them; equal budgets mean equal lengths.
finding_states = Of { n_trials } { $complete } ran to the end, { $failed } failed, and pruning stopped { $pruned }
costs_intro = Wall-clock time of each arm's trials. Other is loading, serving measurements and processes.
finding_costs = { $arm } took { $share } of the { $time } that all trials took together
cost_training = training
cost_scoring = scoring
cost_other = other
axis_wall_seconds = wall-clock seconds
axis_wall_minutes = wall-clock minutes
axis_wall_hours = wall-clock hours
history_intro = Each finished trial's { $metric } on validation; the line is the best so far.
history_capped = { $shown } of { n_trials } are drawn: every improvement, the rest thinned evenly.
finding_history = Of the trials that ran to the end, trial { $n } ({ $arm }) scored best on validation, { $score }; { n_trials } finished after it
finding_history_none = No trial has run to its end
axis_trial = trial
best_so_far = best so far
all_trials_more = Show { n_trials }

## The data

data = The data
data_source = Source
data_fingerprint = Fingerprint
data_train_of = { $n ->
    [one] { $n } of { n_training_rows } was used
   *[other] { $n } of { n_training_rows } were used
}
no_audit = The data was not audited.
warnings = Warnings
unread = Stored by another version of the suite, and not readable by this one
empty = Empty
exact_duplicates = Exact duplicates
normalised_duplicates = Duplicates but for case and spaces
near_duplicates = Near duplicates
conflicting_labels = Conflicting labels
length = Length in characters (mean · p50 · p95 · max)
lengths_intro = Share of each split's texts with at most so many characters.
axis_length = length in characters
axis_share = share of the texts
finding_lengths = { $half ->
    [one] Half of the texts in { $split } have at most { $half } character, one in twenty has more than { $long }
   *[other] Half of the texts in { $split } have at most { $half } characters, one in twenty has more than { $long }
}
leaks = Leaks between splits
test_in_train = Test rows that stand in train: { $n } ({ $normalised } when case and spacing are ignored)
validation_in_train = Validation rows that stand in train: { $n }
near_train = Rows that train nearly holds, those that it holds among them: { $n } of test, { $validation } of validation
near_about = Near: of their shingles of four bytes, two texts share four fifths, as MinHash estimates it.
near_compared = { $n ->
    [one] Of each split its first row was compared.
   *[other] Of each split the first { $n } rows were compared.
}
class_counts = Rows of each class
class_range = { n_classes }; the smallest has { n_training_rows } ({ $low_name }), the largest { $high } ({ $high_name })
class_equal = { n_classes } of { n_training_rows } each
class_table = All { n_classes }
truncated = Texts cut at the token limit

## Circumstances

circumstances = Circumstances
repeat = To repeat it
no_command = The command was not recorded.
commands_next = And then
recipe = Recipe
target = Trials asked for
allocation = Allocation
sampler = Sampler
ends_early = Ends early
search_ended = Why the search ended
pruner = Pruner
budget = Budget of a trial
bounds = Bounds
latency_bound = Latency bound
openings = Times the test split was opened
openings_of_split = Times studies of the storage opened it
environment = Machine and versions
measured = How each arm was measured
revision = Model revision
seed = Seed
precision = Precision
engine = Engine
batch = Batch
device = Device
machine = Machine
threads = Threads
versions = Versions
load_seconds = Loading
evaluation_seconds = Evaluation
learnt_in = Learnt in
learnt_steps = { $steps } steps, { $passes } passes
learnt_more = { " " }({ $asked } asked)
learnt_smaller = , batch { $batch } ({ $asked } asked)
learnt_continued = continued at step { $at } of { $steps }
other_form = as { $form }: { $rate } Offline, p50 { $p50 } SingleStream
other_facts = Noted
contended = Contended

## Terms

glossary = Terms
term_arm = Arm|arms|arm
gloss_arm = A model together with the way it is made to classify, such as minilm/linear_head. Arms are what is compared.
term_macro_f1 = Macro-F1|macro-F1
gloss_macro_f1 = The mean over the classes of F1, which counts both what a class misses and what it takes wrongly. Small classes weigh as much as large ones; 1 is perfect.
term_accuracy = Accuracy|accuracy
gloss_accuracy = The share of rows that are classified right. Large classes weigh more than small ones.
term_interval = 95 % interval
gloss_interval = Where the score lies for all but 5 % of test sets like this one, and of other trainings where there were several. A narrow one says that the test split is large enough.
term_p = p|p (Holm)
gloss_p = How often a difference as large as this would be seen if there were none. Below 0.05 it counts as real; adjusted for how many pairs are compared.
term_chance = more than chance|could be chance
gloss_chance = Whether a difference would be there on other test rows too, and with other trainings where there were several: decided for every two arms on the same rows, below p = 0.05.
term_test = Test split|test split
gloss_test = Rows that no arm has seen and nothing was chosen by. Scores on them are what to expect on new texts.
term_validation = Validation|validation
gloss_validation = Rows held back from training, by which hyperparameters are chosen. Scores on them flatter a little, because they were chosen by.
term_finals = Finals|finals
gloss_finals = The end of a study: the best trial of each arm is trained anew, over seeds where there is time, and scored on the test split.
term_trial = Trial|trials|trial
gloss_trial = One training of an arm with one set of hyperparameters.
term_seed = Seed|seeds|seed
gloss_seed = The number that fixes what is drawn at random in a training. Another seed gives a slightly different model.
term_claim = About an arm|about the arm
gloss_claim = A verdict about an arm is one about its training at the hyperparameters that this search found, on these training rows: for other trainings and other test rows. Another search, or other training rows, could end otherwise.
term_pruned = Pruned|pruned
gloss_pruned = Stopped early, because it was behind the other trials of its arm at the same point.
term_rank = Rank|rank
gloss_rank = One more than the number of arms that are better by more than chance. As a range it goes on to the worst rank that the verdicts leave: all arms less those that it beats. A shared rank does not say that two are equal.
term_degrees = Degrees of freedom
gloss_degrees = How much the estimate of a difference's variance rests on. Few (1 or 2, from two or three trainings) make the interval wide.
term_offline_rps = Texts/s|texts/s
gloss_offline_rps = Texts classified in a second when many are at hand at once (MLPerf's Offline), from raw text.
term_p50 = p50
gloss_p50 = Half of single texts are answered within this time.
term_p90 = p90
gloss_p90 = Nine of ten single texts are answered within this time, one after another.
term_peak_memory = Peak memory
gloss_peak_memory = The most memory that training took at any moment.
term_parameters = Parameters
gloss_parameters = Numbers that the model consists of; with each its size on disk and in memory grows.

## Across studies: the answer

across_title = Across studies
across_eyebrow = Text classification, several studies
across_counted_line = { n_tasks } with test scores
across_common_line = { n_arms } tested on all tasks
across_sample_all = These are bundled samples, not real data: no figure here holds for a real task.
across_sample_some = { $studies }: the bundled sample, shown but in no average.
across_validation = { $studies }: scored on validation only, the test split is unopened; shown but in no average.
across_nothing_yet = { $studies }: no result yet.
across_stale = { $studies }: searched on after the finals, so the test scores are stale.
across_objectives = The studies go by different scores ({ $studies }): scores and distances to the best are compared within a study, and not averaged over tasks; ranks and contests are by each study's own.
across_objective_of = { $study }: { $metric }
across_mixed = score
across_machines = The studies ran on different machines: training time and speed are compared within a study, and not averaged over tasks.
across_machines_unknown = Not every study tells its machine: training time and speed are compared within a study, and not averaged over tasks.
across_none = No study has test scores, so nothing can be said across tasks yet.
across_one_task = Only { $task } has test scores that count, so there is no average over tasks.
across_one_task_best = The best there is { $arm }, { $metric } { $f1 }.
across_one_task_best_within = The best there within the bounds is { $arm }, { $metric } { $f1 }.
across_no_common = No arm was tested on all { n_tasks }, so there is no average rank; { $arm } won the largest share of its contests by more than chance ({ $won } of { $contests }).
across_one_common = { $arm } is the only arm tested on all { n_tasks }, so its average is compared with nothing.
across_best = Over { n_tasks } { $arm } is best on average: rank { $rank } among the { n_arms } tested on all of them; next is { $second } with { $rank2 }.
across_best_shared = { $names } share the best average rank over { n_tasks }, { $rank } of { n_arms } tested on all of them.
across_silent = { n_tasks } are too few to rank arms over tasks, which takes { $least }: each task has its own verdicts below.
across_rests = This rests on { n_tasks } alone: over other draws of them the average rank of { $arm } lies between { $low } and { $high }, and its win rate ({ $rate }) between { $least } and { $most } (95 %).
across_too_few_arms = Two arms are too few for a test over tasks. Task by task, { $arm } against { $second }: { $won } won by more than chance, { $level } could be chance, { $lost } lost.
across_friedman_none = Over these tasks the arms' ranks could all differ by chance (Friedman, p { $p }).
across_cd_real = That lead is more than chance: { $distance } ranks, and from { $cd } on two arms differ (Friedman p { $p }, Nemenyi at 5 %).
across_cd_chance = That lead could be chance: { $distance } ranks, where it takes { $cd } (Friedman p { $p }, Nemenyi at 5 %). Within that: { $arms }.
across_but = But { $arm }, not tested on every task, beats it by more than chance on { $lost } of the { $met } where both were.
across_take_rival = For a new task of this kind start with { $rival }, and with { $arm } where that cannot run
across_take = For a new task of this kind start with { $arm }
across_take_level = ; { $arm } was never worse than it by more than chance and takes { $training } of its training time
across_take_cheap = ; of the others that lie at most { $far } { way_below } the best on average the cheapest to train, { $arm }, takes { $training } of its training time and lies { $gap } further { way_below }
across_zero_shot = Without any labels only zero_shot arms can answer: the best here is { $arm }, { $gap } { way_below } each task's best on average ({ $n } of { n_tasks }).
across_no_zero_shot = With no labels at all only a zero_shot arm could answer, and none was tested here.
across_pair = { $task }, from { $before } to { $after }: { $what }.
across_pair_differ = Between them differ: { $facts }.
across_pair_alike = Nothing that is recorded differs between them.
across_more_facts = { $n } facts, listed below
across_pair_better = { $arms } better by more than chance
across_pair_worse = { $arms } worse by more than chance
across_pair_chance = { $arms } could be chance
across_pair_unknown = no claim about { $arms }
across_pair_objectives = not compared, for they go by different scores
across_pair_none = no arm has a score in both
role_average = best average rank
role_winner = most contests won
role_quick = fastest to serve
role_frugal = cheapest to train
across_versus = Times are of { $arm } in the same study: geometric mean over the tasks.
across_tasks_of = { $n } of { n_tasks }

## Across studies: arms and tasks

across_matrix = Arms and tasks
across_matrix_lead = { $Metric } on test with its 95 % interval and the rank in that study, as a range where its finals tell of several trainings.
across_matrix_colour = The deeper the colour, the nearer to the task's best.
across_average_rank = Average rank
across_gap = Distance to the best
across_win_rate = Win rate
across_win_rate_more = the share of the other common arms that it scores better than, over the tasks; a tie counts half
across_gap_more = what the arm's { $metric } lies { way_below } the task's best, averaged over its tested tasks
across_tasks = Tasks
across_first = Ranked 1
across_won = Won
across_level = Could be chance
across_lost = Lost
across_training = Training
across_speed = Speed
across_speed_more = a dash where the two speeds cannot be told apart, or were not measured in rounds on every task
across_not_in_study = not in the study
across_without = no score
across_not_counted = in no average
across_refusals = Who was refused or retired where
across_stands = Of several studies of one task the latest with test scores stands in the matrix: { $names }.

## Across studies: averages

across_averages = Over all tasks
across_averages_lead = Contests: every two arms on every task with test scores, by the paired tests of that study.
across_ranked_lead = The average rank and the win rate are by score, over the { n_arms } tested on all { n_tasks }, with 95 % intervals over draws of the tasks; a dash stands for arms that some task lacks.
across_test_few = Ranking arms over tasks needs at least { $least } tasks, and testing it three common arms: with { n_tasks } and { n_arms } no such claim is made.
across_test_said = Friedman's test over { n_tasks } and { n_arms }: χ² { $statistic }, p { $p } (as corrected by Iman and Davenport). Critical difference (Nemenyi, 5 %): { $cd } ranks.
across_ranks_title = Of the { $arms } common arms { $arm } scores best on { $first } of { n_tasks }; its lowest place is { $worst }
across_ranks_about = Rank by score among the common arms: large, the average; small, each task.
across_ranks_band = The grey band is the critical difference from the best: within it, chance.
axis_rank = rank
across_wins_title = { $contests ->
    [one] { $arm } wins { $won } of its { $contests } contest by more than chance and loses { $lost }
   *[other] { $arm } wins { $won } of its { $contests } contests by more than chance and loses { $lost }
}
across_wins_about = Share of an arm's paired contests, every other arm on every task.
axis_share_contests = share of contests
across_won_long = won by more than chance
across_lost_long = lost by more than chance

## Across studies: quality against cost

across_trade_offs = Quality against cost, over tasks
across_trade_offs_reference = Every cost is a multiple of { $arm } in the same study, so on the same machine; quality is the distance to the task's best. { $arm } is the reference because it has the best average among the arms measured on every task.
across_trade_offs_median = Every cost is a multiple of the study's median arm, because no arm was measured on every task; quality is the distance to the task's best.
across_trade_title_speed = Of the arms averaged here { $arm } is the fastest: { $times } the speed of { $base }, { $gap } { way_below } the best on average
across_trade_title_speed_level = As far as was measured { $arm } is the fastest of the arms averaged here, { $gap } { way_below } the best on average; no multiple of the speed of { $base } can be told
across_trade_title_training = Of the arms averaged here { $arm } is the cheapest to train: { $times } the training time of { $base }, { $gap } { way_below } the best on average
across_trade_title_apart_speed = Speed, task by task: machines differ, so nothing is averaged
across_trade_title_apart_training = Training time, task by task: machines differ, so nothing is averaged
across_trade_title_some_speed = Speed, task by task: no arm was measured on every task
across_trade_title_some_training = Training time, task by task: no arm was measured on every task
across_trade_about = How far { $metric } lies { way_below } the task's best, against { $cost }, logarithmic. Small: a task. Large: the mean of an arm that was measured on all tasks.
across_far = Not drawn, more than { $far } { way_below } the best: { $points }.
across_far_point = { $arm } on { $task } ({ $gap })
across_cost_speed = texts per second ÷ { $base }'s
across_cost_training = training time ÷ { $base }'s
across_median = the median arm
across_mean = mean over tasks
axis_gap = { $metric } { way_below } the task's best
across_small_multiples = The same, task by task
across_small_lead = Each task in its own units; an arm keeps its colour.
across_task_title = { $task }: { $finding }
across_by_speed = Against texts per second
across_by_training = Against training time

## Across studies: side by side

across_pairs = Side by side
across_pairs_lead = Two studies of one task: what differs in their circumstances, and whether each arm got better.
across_pairs_left = { $n ->
    [one] { $n } more pair is not shown: of many studies each is compared with the latest.
   *[other] { $n } more pairs are not shown: of many studies each is compared with the latest.
}
across_from_to = { $task }: { $before } → { $after }
across_paired = Both hold predictions on the same test rows: a paired bootstrap on these rows, p Holm-adjusted over the arms.
across_unpaired_losses = Not paired, because results hold no loss of each row: judged from the two 95 % intervals as if independent, which sees less; p Holm-adjusted over the arms.
across_unpaired_no_predictions = Not paired, because one of them kept no predictions: judged from the two 95 % intervals as if independent, which sees less; p Holm-adjusted over the arms.
across_unpaired_rows_differ = Not paired, because the test rows differ: judged from the two 95 % intervals, and a difference may come from the rows; p Holm-adjusted over the arms.
across_unpaired_objectives = Not compared, because they go by different scores.
across_unpaired_sample = Not paired, because one of them is the bundled sample: its score says nothing about the real task.
across_no_claim = Not both have test scores: validation is compared, and no claim about chance is made.
across_machine_costs = Training time and speed are not compared: the machines differ or are not known.
across_before = Before
across_after = After
across_change = Change
across_method = Test
across_method_paired = paired
across_method_unpaired = from intervals
across_method_none = none
across_verdict_better = better
across_verdict_worse = worse
across_verdict_chance = could be chance
across_verdict_unknown = no claim
across_only_before = Only in { $study }: { $arms }.
across_only_after = Only in { $study }: { $arms }.
across_what_changed = What changed
across_nothing_changed = Nothing that is recorded differs.
across_unchanged = The same in both: { $facts }.
across_forest_title = { $better } better by more than chance, { $worse } worse, { $chance } could be chance
across_forest_title_none = { n_arms } in both; no claim about chance
across_forest_about = Change of { $metric } from { $before } to { $after }, with its 95 % interval.
axis_change = change of { $metric }
across_fact = Fact
fact_recipe = recipe
fact_arms = arms
fact_source = data source
fact_fingerprint = data fingerprint
fact_train_rows = training rows
fact_validation_rows = validation rows
fact_test_rows = test rows
fact_classes = classes
fact_machine = machine
fact_python = Python
fact_seeds = seeds of the finals
fact_trials = finished trials
fact_allocation = allocation
fact_sampler = sampler
fact_pruner = pruner
fact_openings = openings of test
fact_budget = budget
fact_bounds = bounds
fact_versions = versions
fact_revision = model revision
across_studies = The studies

## Which way is up: of losses less is better

way_up = { $up ->
    [0] Down
   *[1] Up
}
way_highest = { $up ->
    [0] lowest
   *[1] highest
}
way_more = { $up ->
    [0] less
   *[1] more
}
way_less = { $up ->
    [0] more
   *[1] less
}
way_more_above = { $up ->
    [0] below
   *[1] above
}
way_below = { $up ->
    [0] above
   *[1] below
}
way_lower = { $up ->
    [0] higher
   *[1] lower
}
way_higher = { $up ->
    [0] lower
   *[1] higher
}
way_fell = { $up ->
    [0] rose
   *[1] fell
}
way_useful = { $up ->
    [0] lose at most twice as much as the best
   *[1] score at least half as much as the best
}
