### What other rooms say in English, as patterns (see words.py): what stands in a place is kept. A place whose name
### begins with "said" holds what is told in turn.


## Words that stand in the places of others

said_train = train
said_validation = validation
said_test = test
said_n_trials = { $n ->
    [one] { $n } trial
   *[other] { $n } trials
}
said_n_trainings = { $n ->
    [one] { $n } training
   *[other] { $n } trainings
}
said_n_rows = { $n ->
    [one] { $n } row
   *[other] { $n } rows
}
said_n_training_rows = { $n ->
    [one] { $n } training row
   *[other] { $n } training rows
}
said_n_validation_rows = { $n ->
    [one] { $n } validation row
   *[other] { $n } validation rows
}
said_n_test_rows = { $n ->
    [one] { $n } test row
   *[other] { $n } test rows
}
said_n_classes = { $n ->
    [one] { $n } class
   *[other] { $n } classes
}
said_n_files = { $n ->
    [one] { $n } file
   *[other] { $n } files
}
said_n_texts = { $n ->
    [one] { $n } text
   *[other] { $n } texts
}
said_n_cores = { $n ->
    [one] { $n } core
   *[other] { $n } cores
}
said_n_engines = { $n ->
    [one] { $n } engine
   *[other] { $n } engines
}
said_n_failures = { $n ->
    [one] { $n } failure
   *[other] { $n } failures
}
said_n_requests = { $n ->
    [one] { $n } request
   *[other] { $n } requests
}
said_n_answers = { $n ->
    [one] { $n } answer
   *[other] { $n } answers
}
said_n_tokens = { $n ->
    [one] { $n } token
   *[other] { $n } tokens
}
said_seconds = { $n } s
said_minutes = { $n } min
said_hours = { $n } h

## Warnings about the data

said_also_in_train = { $n ->
    [one] { $n } { $said_split } text is also in train
   *[other] { $n } { $said_split } texts are also in train
}
said_nearly_in_train = { $n ->
    [one] { $n } { $said_split } text is also in train, but for case, spaces and punctuation
   *[other] { $n } { $said_split } texts are also in train, but for case, spaces and punctuation
}
said_nearly_more = { $n ->
    [one] { $n } more test text is also in train, but for case, spaces and punctuation
   *[other] { $n } more test texts are also in train, but for case, spaces and punctuation
}
said_near_train = { $n ->
    [one] { $n } { $said_split } text is nearly in train: a few words differ
   *[other] { $n } { $said_split } texts are nearly in train: a few words differ
}
said_near_train_more = { $n ->
    [one] { $n } more { $said_split } text is nearly in train: a few words differ
   *[other] { $n } more { $said_split } texts are nearly in train: a few words differ
}
said_empty = { $n ->
    [one] { $n } { $said_split } text is empty
   *[other] { $n } { $said_split } texts are empty
}
said_conflicting = { $n ->
    [one] { $n } { $said_split } text stands under more than one label
   *[other] { $n } { $said_split } texts stand under more than one label
}
said_repeats = { $n ->
    [one] { $n } { $said_split } text repeats an earlier one
   *[other] { $n } { $said_split } texts repeat earlier ones
}
said_nearly_repeats = { $n ->
    [one] { $n } { $said_split } text nearly repeats an earlier one
   *[other] { $n } { $said_split } texts nearly repeat earlier ones
}
said_imbalance = the largest class of train ({ $large }, { $most }) is { $times }× the smallest ({ $small }, { $least })
said_no_rows = { $n ->
    [one] { $n } class has no { $said_split } row: { $names }
   *[other] { $n } classes have no { $said_split } row: { $names }
}
said_no_columns = the files have no column { $names }: text and label are read instead
said_split_unread = { $file } is not read: data.test carves test from train
said_by_order = { $file } names { $n } of the classes otherwise than the task ({ $names }); their order is taken to be the task's
said_all_shared = all { $n } rows of { $said_few } are rows of { $said_many }: one split serves two purposes
said_most_shared = { $n } of { $all } rows of { $said_few } are rows of { $said_many }: one split serves two purposes
said_shared_with_test = { $n ->
    [one] { $n } validation row is a row of test
   *[other] { $n } validation rows are rows of test
}
said_merged_spelled = { $n ->
    [one] { $n } label is spelled otherwise than the others of the class, and was merged: { $said_listed }
   *[other] { $n } labels are spelled otherwise than the others of the class, and were merged: { $said_listed }
}
said_spelled_as = '{ $way }' as '{ $most }' ({ $n })
said_fields_odd = line { $n }: { $m } fields where the first line has { $width }
said_test_weight = { $n ->
    [one] test has { $n } row: its macro-F1 moves by { $moved } when one answer changes
   *[other] test has { $n } rows: its macro-F1 moves by { $moved } when one answer changes
}
said_test_weight_of = test has { $n } rows, of '{ $name }' { $m }: its macro-F1 moves by { $moved } when one answer changes
said_left_out = { $n ->
    [one] { $n } row is left out: { $said_without }
   *[other] { $n } rows are left out: { $said_without }
}
said_left_out_both = { $n } rows are left out: { $m } without label and { $k } without text
said_without_label = { $m } without label
said_without_text = { $m } without text
said_merged_case = { $n ->
    [one] { $n } label merged with the same in another case
   *[other] { $n } labels merged with the same in another case
}
said_merged_alike = { $n ->
    [one] { $n } label merged with the same in another case or in letters that look alike
   *[other] { $n } labels merged with the same in another case or in letters that look alike
}
said_cells_filled_one = { $n } cell of { $file } is merged with the one above, and has its value
said_cells_filled = { $n } cells of { $file } are merged with the one above, and have its value
said_ahead = { $file } is { $size }: while it is read its rows lie in { $place }, up to { $disk }, and memory takes about { $memory }
said_rows_taken = of { $said_all } { $n } are taken, class by class: --train-rows takes more
said_peak = memory at its peak: { $size }
said_line_no_json = line { $n }: not JSON: { $why }

## Why an arm is refused, or its trials fail

said_too_large = { $said_what } of { $model } ({ $n }M parameters) needs about { $need } GB; this machine has { $there } GB and no GPU
said_full_fine_tuning = full fine-tuning
said_even_lora = fine-tuning, even by LoRA,
said_embedding = embedding
said_fine_tuning = fine-tuning
said_asking_work = option scoring
said_gpu_helps = a GPU or a smaller model would help
said_gpu_server_helps = a GPU, a smaller model, or --endpoint with a server would help
said_lora_half = tuning: lora needs about half of that
said_speaks = { $model } reads { $languages }; the texts are in { $language }; choose a model that lists '{ $code }' or '{ $other }'
said_classic_needs = { $model } is a classic model: it needs an encoder or decoder; use { $arm }
said_classic_builds = classic builds { $names }; { $model } is a pretrained or transformer model: use linear_head or probe
said_no_decoder = { $model } is no decoder and can't answer a prompt; use { $other }
said_endpoint_weights = { $model } answers behind an endpoint, and its weights can't be trained from here; use { $other }
said_typed_questions = { $model } answers typed questions, and neither thinks nor is shown examples; use { $other }
said_none_answered = { $url }: none of { $said_texts } was answered: the server { $said_why }
said_options_few = { $url }: the server takes { $n } options in a question, which is too few for { $classes } classes in two levels
said_too_many_codes = { $n } classes are more than the { $most } that option codes can name; use { $other }
said_two_letter_codes = { $n } classes are more than the { $most } that two-letter codes can name; use linear_head or probe
said_few_codes = only { $n } two-letter codes can be told apart by this model's tokenizer, and the task has { $classes } classes; use linear_head or probe
said_llama_missing = LLaMA-Factory, which does the training, is not installed: { $command }
said_cmaes_choices = sampler cmaes moves through ranges, and these are choices: { $names }; give each one value under spaces in the recipe, or take sampler tpe, gp or qmc
said_weights_away = its weights ({ $hub }) are not in the local cache and the Hub is out of reach ({ $said_why }); --model { $model } names a local folder instead
said_weights_cache_reach = weights not in the cache, Hub out of reach
said_weights_cache_unasked = weights not in the cache, Hub not asked
said_weights_local = weights in the local cache
said_weights_from_hub = weights come from the Hub at first use
said_names_folder = --model { $model } names a local folder
said_names_folder_instead = --model { $model } names a local folder instead
said_folder_gone = the folder { $path } is gone; name it again with --model { $model }
said_hub_trouble = { $hub } { $said_why } when asked for { $model }; --model { $name } names a local folder instead
said_hub_status = { $hub } answered with HTTP status { $status } when asked for { $model }; --model { $name } names a local folder instead
said_hub_terms = { $hub } wants its terms accepted on the Hub; set HF_TOKEN after that, or give --model { $model }
said_no_safetensors = { $hub } has no safetensors at this revision, and pickled weights are not read, since that can run code
said_no_answer_within = did not answer within { $n } s
said_offline_mode = offline mode is set
said_offline_by = HF_HUB_OFFLINE is set
said_out_of_reach = the Hub is out of reach
said_single_too_long = a single trial takes about { $said_time }, more than the budget of { $said_budget }; --force keeps it
said_in_a_row = { $said_failures } in a row, the last: { $said_reason }
said_three_in_a_row = three trials in a row failed: { $said_reason }
said_memory_out = memory ran out
said_oom = out of memory
said_oom_batch = out of memory at a batch of { $n } ({ $why }): a smaller batch, or shrink_batch: true in the recipe, would help
said_oom_one = out of memory at a single text ({ $why }): tuning: lora, a smaller cutoff or a smaller model would help
said_max_trial = stopped after max_trial_seconds = { $n }
said_max_silent = stopped after it hung for max_silent_seconds = { $n }
said_killed = the child was killed by signal { $n }
said_killed_memory = killed by the system, most likely because memory ran out
said_template_user = the model's chat template does not hold the user's turn exactly once
said_template_render = the model's chat template can't be rendered: { $why }
said_need_traces = think: distilled needs thinking traces, and { $file } is not there: run { $command } first, or use think: prompt
said_no_think_block = the model's chat template can't think: no think block stands in it; use { $setting }, or a model with a think block
said_no_chat_to_think = the model's chat template can't think: there is no chat template; use { $setting }, or a model with a think block
said_think_switch = the model's chat template can't think: switching it on changes nothing in its template; use { $setting }, or a model with a think block
said_not_head = this model can't be made a classification head: { $said_why }
said_several_tokens = an option of several tokens has no row of its own in lm_head
said_head_bias = its lm_head has a bias, and a classification head has none
said_server_said = { $url }: the server { $said_why }
said_no_model_there = { $url } has no model '{ $model }'

said_ensemble_served = an ensemble needs two arms that answer without a server
said_ensemble_none = no other arm improves on { $arm } on rows that none had seen
said_cascade_speeds = a cascade needs two arms whose speed was measured
said_cascade_none = no arm that is faster than the best could answer before it
said_cascade_alone = { $arm } alone is as good, and no cascade is faster
said_cascade_unsure = { $arm } would pass { $share } of the texts on to { $other }: too little is gained for a second model
said_combined_worse = on rows that did not choose it, it has { $own } where { $arm } alone has { $its }
said_combined_few = it needs two arms whose answers to unseen rows and to test are kept
said_combined_once = { $arm } in it was trained once

## Why an engine is refused

said_no_int8 = this PyTorch has no 8-bit kernels for this CPU
said_no_arithmetic = this CPU has no { $precision } arithmetic ({ $units }), and would only imitate it
said_one_precision = this model serves in { $precision } alone here
said_openvino_bf16 = OpenVINO has no bfloat16 on this CPU ({ $names })
said_cant_engine = { $engine } can't { $what } this model: { $why }
said_one_text_alone = Server: one text alone takes { $time }, the bound is { $bound }
said_server_note = Server: { $said_why }
said_bench_endpoint = every request may cost money; --endpoints measures it
said_bench_again = recorded with these settings: { $said_n }; --again measures anew

## While a study runs

said_timing_arms = Timing a few steps of each arm …
said_timing = timing arms
said_step_finals = finals
said_step_engines = engines
said_scoring_finals = Scoring each arm's best on the test split …
said_estimate_most = { $arm }: a trial takes about { $said_time }, and up to { $said_most } at other hyperparameters
said_estimate = { $arm }: a trial takes about { $said_time }
said_refused_now = { $arm } is refused: { $said_reason }
said_retired_now = { $arm } is retired: { $said_reason }
said_stays_out = { $arm } stays out: { $said_reason }
said_tried_again = { $arm } is tried again; it was out: { $said_reason }
said_queued_again = trial { $n } ({ $arm }): { $said_reason }; it is queued again
said_trial_said = trial { $n } ({ $arm }): { $said_reason }
said_lost_worker = trial { $n } ({ $arm }) had lost its worker; it is queued again
said_lost_finished = trial { $n } ({ $arm }) had lost its worker, but was finished
said_continued = trial { $n } ({ $arm }): continued at step { $step } of { $steps }
said_continued_arm = { $arm }: continued at step { $step } of { $steps }
said_begun_anew = trial { $n } ({ $arm }): begun anew, its bookmark can't be used: { $said_why }
said_begun_anew_arm = { $arm }: begun anew, its bookmark can't be used: { $said_why }
said_bookmark_damaged = it is damaged
said_bookmark_part = it is not whole
said_bookmark_other = it is of a training with other hyperparameters, rows, weights or versions
said_bookmark_died = { $n } processes died that had gone on from it
said_bookmark_unread = it can't be read: { $why }
said_trained_again = { $arm }: training trial { $n } again, seed { $seed }
said_trained_again_refit = { $arm }: training trial { $n } again on train and validation, seed { $seed }
said_no_refit_by_time = validation is not trained on: its rows may be newer than test, which is the newest
said_no_refit_alone = validation is not trained on: of { $arm } nothing else tells how sure it may be
said_undecided = { $arm }: nothing is said of when it answers alone: { $said_why }
said_not_calibrated = { $said_why }; it can't be calibrated or combined with others
said_finals_rest = { $said_why }; its finals rest on { $said_n }
said_nothing_missing = Nothing is missing: every arm has its trainings, and test was not opened.
said_once = one training: a second would take about { $said_time }, { $said_left } more than was left
said_once_ruled_out = one training: validation has it { $gap } below the best, so others came first; a second would take about { $said_time }, { $said_left } more than was left
said_search_s_own = the search's checkpoint: to train it again would take about { $said_time }, { $said_left } more than was left
said_combined_rows = { $arm } was not trained on the rows that { $other } was: no member
said_combined_kept = what { $arm } answered to rows that it had not seen is not kept
said_combined_no = { $arm }: none: { $said_why }
said_combined_cascade = { $arm }: { $first } answers where it is at least { $threshold } sure ({ $share } of the test texts), { $second } the rest
said_combined_arm = '{ $arm }' can't be trained: the finals combine what other arms have trained
said_combined_fix = Name the arms that it is made of, and finals: {"{"}combine: true{"}"} in the recipe, or `{ $command }` once the study is there.
said_trained_alone = { $arm }: timed while other workers ran; trained again alone
said_kept_elsewhere = { $arm }: its kept checkpoint is on { $host }; run finals there to score it
said_no_test_score = { $said_why }; it has no test score, the others have
said_opened_elsewhere = { $n ->
    [one] this test split was opened { $n } time by other studies of the storage: { $names }
   *[other] this test split was opened { $n } times by other studies of the storage: { $names }
}
said_waits_scoring = process { $pid } on { $host } is scoring on the test split; its outcome is waited for
said_no_speed = serving speed could not be measured: { $said_why }
said_time_unknown = time left not known yet
said_time_left = about { $said_time } left
said_exists = The study '{ $name }' exists: going on with it.
said_still_missing_on = Still missing: { $said_n }; `{ $command }` searches on.
said_still_missing = Still missing: { $said_n }.
said_found_study = Found '{ $name }'.
said_created_study = Created '{ $name }'.
said_sample_instead = { $said_why }. The BUNDLED SAMPLE is studied instead, as '{ $name }': its numbers say nothing about { $title }. Give --data DIR for the real rows.

## What commands say

said_stopped = Stopped; nothing was changed.
said_interrupted = Interrupted; what was finished is saved.
said_interrupted_go_on = Interrupted; everything is saved. Go on with: { $command }
said_interrupted_bench = Interrupted; the engines measured so far are saved. Go on with the same command.
said_interrupted_opened = Interrupted; the test split was opened, which is counted. Trainings that ended are kept.
said_interrupted_closed = Interrupted; nothing was scored and the test split stays closed.
said_interrupted_answers = Interrupted; the answers so far are in { $file }
said_deleted = Deleted '{ $name }'.
said_files_unknown = Its files, if it has any, stay: they could not be told.
said_files_stay = Its files stay, for they are { $whose }: { $folder }
said_wrote_to = Wrote '{ $name }' to { $file }
said_wrote_arm = Wrote { $arm } to { $folder }
said_wrote_answers = Wrote { $said_n } of { $arm } to { $file }
said_wrote_task = Wrote { $file }.
said_is_task = { $file } is a task.
said_imported = Imported '{ $name }'
said_owned = '{ $name }' owned its files already: { $folder }
said_owns_now = '{ $name }' owns its files now: { $folder }
said_where_wanted = { $command }, where it is wanted
said_read_then = read it, mend what it guessed, then: { $command }
said_or_command = { $first }, or { $second }
said_not_shown = not shown: { $said_why }
said_no_page = no page: { $said_why }
said_page_final = Every study has its trials and its finals: the page is final.
said_verbose_shows = The same command with --verbose shows where; please report it.
said_defect = a defect of the suite: { $what }
said_removed_left = Removed what a command that died had left in { $where }: { $size }.
said_takes_weights = suite study create TASK --model NAME=PATH takes weights from a local folder
said_loading = Loading { $arm } …
said_closing = Closing: answering what was accepted …
said_serving = Serving { $what } at { $address }
said_try_curl = Try: { $command }

## Why a trial failed, and what a budget is

said_over_budget = one trial would take about { $said_time }, above the budget of { $said_budget }; --force keeps it
said_memory_ran_out = memory ran out ({ $why }); a smaller batch, fewer tokens or LoRA needs less
said_memory_ran_out_at = memory ran out: { $why }; a smaller batch, fewer tokens or LoRA needs less
said_child_code = the child ended with exit code { $n } and without a result
said_child_code_log = the child ended with exit code { $n } and without a result; its log: { $file }
said_child_died = the child died of { $signal }: memory ran out; { $figures }; its log: { $file }
said_child_signal = the child died of { $signal }; its log: { $file }
said_no_last_checkpoint = the strategy '{ $name }' ended without a checkpoint at 1.0
said_smaller_batch = a smaller batch, fewer tokens or LoRA needs less

## Circumstances, references, notes

said_source_folder = folder { $path }
said_source_files = files { $paths }
said_source_file = file { $path }
said_allocation_equal = equal
said_allocation_adaptive = adaptive
said_sampler_cost = { $n ->
    [one] { $name } by improvement per second, { $n } random trial first, seed { $seed }
   *[other] { $name } by improvement per second, { $n } random trials first, seed { $seed }
}
said_sampler_first = { $n ->
    [one] { $name }, { $n } random trial first, seed { $seed }
   *[other] { $name }, { $n } random trials first, seed { $seed }
}
said_sampler_alone = { $name }, seed { $seed }
said_ended_target = trial { $n } ({ $arm }) has a macro-F1 of { $score } on validation, and { $target } was asked for
said_ended_patience = { $said_row } in a row found nothing better than trial { $n } ({ $arm })
said_ended_trials = it has its { $said_trials }
said_ended_time = time was up at { $done } of { $said_trials }
said_search_ended = The search ended: { $said_why }
said_pruner_arm = { $name }, within the arm
said_pruner_study = { $name }, within the study
said_ours_sample = ours is the bundled sample
said_its_metric = its metric is { $name }
said_test_unstated = its test rows are not stated
said_train_unstated = its training rows are not stated
said_tested_on = { $n ->
    [one] tested on { $n } row, ours on { $ours }
   *[other] tested on { $n } rows, ours on { $ours }
}
said_trained_on = { $n ->
    [one] trained on { $n } row, ours on { $ours }
   *[other] trained on { $n } rows, ours on { $ours }
}
said_offline_query = { $n ->
    [one] Offline: { $n } text in one query
   *[other] Offline: { $n } texts in one query
}
said_no_verdict = LoadGen's log holds no verdict
said_few_queries = too few queries for p90
said_few_texts = too few texts for a rate ({ $n } of { $least })
said_others_busy = { $n ->
    [one] other processes used { $n } core meanwhile
   *[other] other processes used { $n } cores meanwhile
}
said_asked_as = asked as it was in the study: nothing to compare
said_search_early = the search ended early: { $n } a second was passed, { $higher }
said_fact_python = python
said_fact_platform = platform
said_fact_cpu_model = cpu.model
said_fact_cpu_physical_cores = cpu.physical_cores
said_fact_cpu_logical_cores = cpu.logical_cores
said_fact_cpu_usable = cpu.usable
said_fact_cpu_bf16 = cpu.bf16
said_fact_memory_total = memory.total
said_fact_memory_usable = memory.usable
said_fact_gpus = gpus
said_fact_cpu = cpu
said_another_version = { $what }: written by another version of the suite

## Errors that most people meet

said_no_study = no study '{ $name }' in the storage
said_no_study_yet = there is no study yet
said_start_with = Start with { $command }
said_go_on_with = Go on with { $command }
said_no_finished = '{ $name }' has no finished trial yet
said_no_option = no such option { $option } in { $command }
said_no_command = no such command '{ $name }' in { $command }
said_mean_see = Did you mean { $name }? See { $command }.
said_see_help = See { $command }
said_for_example = For example: { $command }
said_did_you_mean = Did you mean { $name }?
said_mean_available = Did you mean { $name }? Available: { $names }.
said_available = Available: { $names }.
said_unknown_language = unknown language '{ $name }'
said_unknown_format = unknown format '{ $name }'
said_lang_error = --lang: unknown language '{ $name }'
said_contradict = { $a } and { $b } contradict each other
said_give_one = Give one of them.
said_file_exists = { $file } exists
said_no_file = no file { $file }
said_needs_yes = deleting { $what } needs --yes here
said_no_text = no text to classify

## suite model check and task check

said_weights_here = weights: can be had here
said_weights_why = weights: { $said_why }
said_licence_line = licence: { $name }
said_no_output = it was saved as { $kind }: it has no output layer (lm_head), and none is tied to its embeddings; use linear_head or probe
said_tokens_rows = the tokenizer has { $n } tokens and the model's embedding { $rows } rows
said_tokens_vectors = the tokenizer has { $n } tokens and the model { $rows } vectors
said_no_tokenizer_json = it has no tokenizer.json, which model2vec reads texts with
said_no_static_array = '{ $name }' is no array of a model2vec model
said_no_table = it has no table 'embeddings' with a vector for each word piece
said_static_reading = { $model } reads { $n } word pieces, each once
said_static_distilled = { $n } word pieces read in { $seconds } s; their vectors have { $numbers } numbers, which keep { $part } of the variance: { $folder }
said_no_tokenizer = { $folder } has no tokenizer: without tokenizer.json (or vocab.txt, or what its kind has) every word would be unknown
said_encoder_decoder = { $folder } is an encoder with a decoder ({ $kind }): its decoder has to be told what to begin with, and no strategy here does that
said_no_weights = { $folder } has no weights
said_pickled_alone = { $folder } has only pickled weights ({ $file }), whatever lies beside them
said_own_code = { $folder } wants code of its own run (auto_map)
said_kind_of_later = the installed transformers { $version } knows no model of the kind '{ $kind }'
said_note_line = note: { $text }
said_arm_refused = { $name }: refused: { $said_why }
said_unpinned_revision = revision: UNPINNED; 'main' may change under a study
said_pinned_revision = revision: pinned, found in { $where }
said_level_note = note
said_level_warning = warning
said_level_error = error
said_level_ok = ok
said_fits_schema = the file fits the schema: { $said_n }
said_rows_not_here = the rows are not on this machine: not checked
said_thoughts = { $n } thoughts in { $file }

## suite errors, suite distil

said_true_class = true class
said_taken_for = taken for
said_arm_word = arm
said_rows_word = rows
said_row_word = row
said_most_frequent = the { $n } most frequent of { $all } confusions
said_taught_texts = { $arm } answered { $said_texts }
said_taught_own = { $arm } answered { $said_rows } that it had not seen
said_taught_learnt = { $arm } is not asked about training rows: it has learnt them, and would only repeat their labels.
said_taught_test = { $said_texts } left out for standing in test or calibration, or nearly
said_taught_known = { $said_texts } left out for standing in train or validation
said_taught_labelled = { $said_texts } left out for having a label in the file
said_taught_repeated = { $said_texts } left out for repeating others
said_taught_blank = { $said_texts } left out for being empty
said_taught_unanswered = { $said_texts } left out for want of an answer
said_taught_refit = The teacher was trained on validation too: what its pupils score there is flattered, on test it is not.
said_taught_file = What it answered is in { $file }
said_taught_progress = Answered { $said_texts }
said_taught_lacks = distilled needs a teacher's answers, and { $file } is not there: run `{ $command }` first
said_taught_gone = the teacher's answers that this study began to learn from are not here: { $file }; copy them from where it began
said_taught_others = the answers of { $arm } in { $study } belong to other rows ({ $own }, not { $other }): what taught it may stand in test here; name a study of the same rows: suite distil TASK --teacher STUDY
said_asked_of = Asked { $n } of { $said_rows }, { $kept } kept
said_asked_of_left = Asked { $n } of { $said_rows }, { $kept } kept, about { $said_time } left
said_n_rounds = { $n ->
    [one] { $n } round
   *[other] { $n } rounds
}
said_n_arms = { $n ->
    [one] { $n } arm
   *[other] { $n } arms
}
said_thumb_over = one trial would take about { $said_time } on this machine, by rule of thumb: more than { $share } of { $said_whole }; --timeout { $needed } would do
said_whole_over = a trial and its finals would take about { $said_whole }, and { $said_left } are left beside the cheaper arms; more --timeout takes it in
said_preset_takes = --preset { $preset } takes { $said_arms }, and others come first
said_would_download = its weights would be downloaded: { $size } MB, above { $most } MB; --download { $allow } allows it
said_download_unknown = how much would be downloaded is not known; --arms takes it in
said_short_no_time = { $n } of { $said_rounds }: there was no time for one more
said_short_thumb = { $n } of { $said_rounds }: one more would take about { $said_time } by rule of thumb, longer than there was time
said_short_of = { $n } of { $said_rounds }: one more would take about { $said_time }, longer than there was time
said_ranking_after = After { $said_rounds }, { $metric } on validation: { $ranking }
said_at_most = At most { $said_time }, finals included; timing arms takes { $said_part } of it at most. --timeout changes it.
said_first_minute = the first minute
said_waits_trial = waiting for trial { $n } ({ $arm }) of process { $pid } on { $host }
said_waits_lock = waiting for the study's lock, which { $who } has
said_chosen_for = Chosen for { $said_time } (--preset { $preset }): { $names }
said_downloaded_for = Downloaded for them: { $names }
said_rows_left_out_one = { $n } row of { $file } was left out: { $said_listed }
said_rows_left_out = { $n } rows of { $file } were left out: { $said_listed }
said_group_machine = machine
said_group_places = places
said_group_optional = optional
said_group_settings = settings
said_setting_from = from: { $said_origin }
said_setting_default = default
said_setting_storage_tasks = tasks
said_setting_device = device
said_setting_threads = threads
said_setting_price = price
said_setting_energy = energy
said_setting_lang = lang
said_settings_word = Settings

## suite doctor

said_doctor_machine = Machine
said_doctor_packages = Packages
said_doctor_folders_database_hub = Folders, database, Hub
said_doctor_optional = Optional
said_doctor_present = present
said_doctor_processor = processor
said_doctor_memory = memory
said_doctor_free_disk = free disk
said_doctor_torch_s_family = torch's family
said_doctor_working_folder = working folder
said_doctor_storage = storage
said_doctor_cache = cache
said_doctor_hub_cache = Hub cache
said_doctor_not_asked = not asked
said_doctor_reachable = reachable
said_doctor_group = group
said_doctor_state = state
said_doctor_check = check
said_doctor_finding = finding
said_doctor_what_would_help = what would help
said_doctor_runs = runs
said_doctor_refused = refused
said_doctor_no_nvidia_gpu_found = no NVIDIA GPU found
said_doctor_everything_runs_on_the_cpu = Everything runs on the CPU; base-size encoders and decoders take long there.
said_doctor_on_the_gpu = on the GPU
said_doctor_float_is_used = float32 is used.
said_doctor_the_cpu_has_no_bfloat = the CPU has no bfloat16 instructions
said_doctor_nothing_can_be_downloaded_name = Nothing can be downloaded; name another folder with HF_HOME.
said_doctor_tasks_work_with_data_dir = Tasks work with --data DIR, models with --model NAME=PATH, or from the local cache.
said_doctor_all_packages = packages
said_doctor_cores = { $cpu }, { $said_cores } usable
said_doctor_bounds = { $n } present and within their bounds
said_doctor_free = { $n } GB in the working folder
said_doctor_on_cpu = on the CPU ({ $flags })
said_doctor_there = { $file } (not there yet)
said_doctor_cache_held = { $folder }: { $held } of { $most } GB in token ids and embeddings
said_doctor_unwritable = { $folder } can't be written: { $why }
said_doctor_out_of_reach = out of reach: { $said_why }
said_doctor_not_installed = not installed (only for { $purpose })

## What a file of rows was taken for

said_draft_rows = { $file }: { $n } rows, { $said_found }
said_draft_text = text: { $names } ({ $said_why })
said_draft_label = label: { $names } ({ $said_why })
said_draft_id = id: { $names } ({ $said_why })
said_draft_group = group: { $names } ({ $said_why })
said_draft_time = time: { $names } ({ $said_why })
said_why_option = named with { $option }
said_why_joined = joined to one text
said_why_called = called so
said_why_called_length = called so, { $said_lengths } on average
said_why_longest = the longest texts, { $said_lengths } on average
said_why_though = called so, though { $said_oddity }
said_why_unique = called so, and different in every row
said_why_kept = kept in outputs
said_lengths_and = { $n } and { $said_rest }
said_n_characters = { $n ->
    [one] { $n } character
   *[other] { $n } characters
}
said_different_values = { $n ->
    [one] { $n } different value in { $said_rows }
   *[other] { $n } different values in { $said_rows }
}
said_odd_nested = its values are lists or objects
said_odd_dates = its values are dates
said_odd_numbers = its values are numbers
said_odd_addresses = its values are addresses
said_odd_none = { $said_rows } of { $n } have none
said_odd_same = its value is the same in { $said_rows }
said_odd_different = there are { $n } different ones
said_draft_also = also a text, not read: { $name } (add it with --text)
said_draft_time_unused = not used: --time { $name }  (dates: the newest rows would be the test)
said_draft_group_unused = not used: --group { $name }  ({ $said_values }, { $said_rows } each: each would stay on one side)
said_n_values = { $n ->
    [one] { $n } value
   *[other] { $n } values
}
said_draft_classes_more = { $n } classes: { $names }, … down to { $least }
said_draft_classes = { $n } classes: { $names }
said_draft_doubtful = { $name } is a class here: if rows without a label are meant, leave the cell empty
said_draft_doubtful_some = { $names } are classes here: if rows without a label are meant, leave the cell empty
said_draft_not_read = not read: { $names }
said_draft_split_unread = { $file } is not read: test is carved from train
said_draft_dropped = { $n ->
    [one] { $n } row without text or label left out
   *[other] { $n } rows without text or label left out
}
said_found_csv = CSV: { $said_mark } between fields, { $said_encoding }
said_found_csv_escaped = CSV: { $said_mark } between fields, quotation marks escaped ({ $mark }), { $said_encoding }
said_found_csv_literal = CSV: { $said_mark } between fields, quotation marks are part of the texts, { $said_encoding }
said_mark_tabs = tabs
said_encoding_bom = { $encoding } with BOM
said_encoding_guessed = { $said_encoding } (guessed)
said_found_fasttext = fastText's lines
said_found_workbook = Excel workbook
said_found_sheet = Excel workbook: sheet '{ $name }'
said_found_sheet_of = Excel workbook: sheet '{ $name }', not { $names }
said_found_folders = a folder of texts for each class
said_found_folders_not = a folder of texts for each class: not { $names }
said_read_as = The rows are read as { $file } says
said_read_as_changed = The rows are read as { $file } says, which was changed by hand
said_wrote_how = Wrote { $file }: from now on it says how the rows are read
said_parts = { $said_rows } to train on, { $validation } for validation, { $test } for test
said_then_mend = read it, mend what it guessed, then: { $command }
said_which_label = { $file }: which column is the label?
said_one_class = Is each of them one class?
said_number_or_name = Number or name
said_none_of_these = { $answer }: none of these
said_checked_rows = { $said_source }: { $train } train, { $validation } validation, { $said_test }; fingerprint { $fingerprint }
said_will_be_cut = by their characters, about { $share } % of the train texts ({ $count }) are longer than max_tokens ({ $most }) and will be cut
said_licence_open = data.licence is not filled in
said_called_otherwise = the file is called { $file }, the task '{ $task }': only as { $name } is it found by name
said_hub_unpinned = data.hub: { $id } is not pinned (revision main): its rows may change under a study; name a commit of 40 hex digits
said_revision_unsaid = data.hub: revision_from does not say where it was found
said_no_prompt = no prompt in the task's language ({ $code }): zero_shot and sft ask the usual question
said_no_prompt_english = no prompt in the task's language ({ $code }): zero_shot and sft ask the usual question, in English
said_folder_not_here = its folder { $path } is not here: give --data
said_file_not_here = its file { $path } is not here: give --data

## Why a file of rows is refused

said_case_alone = labels that differ by case alone: { $said_groups }
said_case_two = '{ $one }' ({ $n }) and { $said_rest }
said_case_one = '{ $one }' ({ $n })
said_case_fix = --merge-case makes one class of them, --keep-case keeps them apart
said_case_fix_task = in a task: data: { $reading }, or keep
said_label_unclear = { $n } columns could be the label: { $names }
said_label_name_it = Name it: { $one } or { $other }
said_no_texts = no column holds texts
said_no_classes = no column looks like classes
said_one_column = there is one column: { $name }
said_one_row = there is one row
said_two_classes_fix = Give rows of at least two classes, several each
said_label_one_value = '{ $name }' has one value in all { $said_rows }: { $value }
said_label_empty = '{ $name }' is empty in every row
said_label_lists = '{ $name }' holds lists or objects, not one class a row
said_label_all_different = '{ $name }' has as many values as rows: { $n }
said_label_too_many = '{ $name }' has { $n } different values
said_label_too_many_most = '{ $name }' has { $n } different values; at most { $most } are classes
said_label_dates = the values of '{ $name }' are dates
said_label_measured = the values of '{ $name }' are measured numbers ({ $n } different)
said_label_another = Name another column with --label
said_label_needs_two = A classifier needs rows of at least two classes
said_label_none_held_out = Each class would have one row, and none could be held out
said_column_missing = no column '{ $name }', which { $option } names
said_text_twice = --text names a column twice
said_text_and_label = '{ $name }' is named as text and as label
said_no_such_file = no such file or folder
said_give_the_file = Give the file of the rows
said_file_empty = the file is empty
said_never_closed = a quotation mark is opened and never closed
said_closed_late = a quotation mark is opened here, and closed only in line { $n }
said_skip_fix = --skip-bad-rows leaves such rows out, and counts them
said_lfs = a pointer of Git LFS, and not the rows
said_unknown_kind = unknown kind of file
said_at_line = { $file }, line { $n }
said_at_row = { $file }, row { $n }
said_rows_from = Rows are read from { $formats }
said_quote_twice = Write a quotation mark inside a quoted text twice: ""
said_asked_in_english = { $names }: asked in English, for the task has no `prompt` in { $language }
said_word_one = { $prompt } in its file words one

## Languages

said_several_languages = several languages
said_no_language = no language that could be told

## A learning curve

said_next_of = { $n } of { $said_texts } to label, by what { $arm } answers
said_curve_sizes = Sizes of training rows, each a study: { $sizes } ({ $name } … { $last })
said_curve_searched = Hyperparameters are searched at these sizes: { $sizes }; the others have those of the nearest
said_curve_draws = Each size but the largest is drawn { $n } times
said_curve_floor = { $said_rows }: { $said_classes } would have none by their share, and get one each
said_curve_part = Part { $n } of { $m } of the curve: { $name }
said_curve_no_time = No time was left for the other parts of the curve: the same command goes on
said_curve_chooses = a learning curve compares the same arms at each size, and { $name } chooses them by the rows there are
said_curve_few = a size of { $size } of { $said_rows }
said_curve_one = a curve of one size: { $size } of { $said_rows }
said_curve_recipe_fix = Name a recipe that has its arms: --recipe curve
said_curve_sizes_many = a curve of { $n } sizes
said_curve_most = Name at most { $n }
said_curve_classes = a size of { $said_rows } for { $said_classes }
said_curve_classes_fix = The smallest size of a curve has a row of each class: at least { $n }
said_curve_few_fix = Name sizes of at most { $n }
said_curve_one_fix = Name several sizes: --sizes { $sizes }; a law needs four
said_curve_no_number = --sizes: '{ $name }' is no number of training rows
said_curve_no_number_fix = Numbers from 2 on, with commas between them: --sizes 100,1000,10000
said_curve_other = '{ $name }' is there, and is no such part of '{ $study }'
said_next_or_replay = suite data next picks texts of a file, or replays on labelled rows
said_next_or_replay_fix = Give --unlabelled FILE, or --replay
said_next_test = the study's test has { $n } of these { $said_texts }: once trained on, test would say nothing (in the file: { $places })
said_next_test_fix = Take them out of the file
said_next_none = none of { $said_texts } is left to label
said_next_empty = no texts stand in it
said_next_empty_fix = Give texts without labels
said_next_none_fix = Give texts that have no label yet, in the study or in their file
said_replay_few = { $said_rows } in { $said_rounds } of { $said_training } leave nothing to pick among
said_replay_few_fix = At most half of them: --rows { $n }

## Several splits

said_folds_of = { $n } folds, which together test every row
said_splits_of = { $n } splits of the rows, test drawn anew for each
said_splits_pooled = Its test is given: the first split has it as it is, each further one takes train and test together and draws a test of as many rows anew.
said_splits_named = { $said_splits }, each searched on its own: { $names }
said_split_begins = Split { $n } of { $m }: { $name }
said_no_time_for_one = No time was left for { $n } split: the same command goes on
said_no_time_for = No time was left for { $n } splits: the same command goes on
said_few_rows = With fewer than { $n } rows one test says little: { $said_splits }, each searched on its own
said_few_rows_no_time = With fewer than { $n } rows one test says little: --splits { $m } would test every row, in about { $said_time } more
said_splits_out = --splits 1 leaves that out
said_round_of_engines = round { $n } of { $rounds }, each engine opened anew …
said_measuring_speeds = measuring speeds in { $n } rounds …
said_speeds_cut_short = time was up after { $said_rounds } of { $n }: speeds have no interval
said_speed_of_rounds = median of { $said_rounds }, each after loading anew
said_rounds_disturbed = { $said_rounds } beside other work

## Under a stranger's hand

said_stress_progress = { $arm }: { $n } of { $said_texts } answered
said_stress_left_out = left out: { $change }: { $said }
said_stress_not_chinese = texts are not Chinese
said_stress_installs = { $modules } not installed: { $commands }
said_stress_recorded = recorded with these rows: { $said_arms }; --again asks anew
said_stress_asks = { $arm } asks { $server } about { $said_texts }
said_stress_not_here = not asked: the model of { $arm } is on { $host }, not in { $folder }
said_stress_failed = not asked: { $arm }: { $said }
said_stress_not_all = { $said_arms } of { $n } could not be asked: { $said_why }
said_stress_asks_again = What the others answered is kept; { $command } asks these again.
said_stress_nowhere = not asked: the model of { $arm } is kept nowhere
said_stress_no_finals = '{ $study }' has no finals: only their models are asked
said_stress_no_arm = no finals of an arm '{ $arm }'

## How hard rows are

said_difficulty_progress = { $judge }: { $n } of { $said_rows } judged
said_difficulty_answers = Judging { $said_rows } by { $arm }
said_difficulty_parts = Judging { $said_rows } by { $said_trainings } of { $arm }, each without a part of them
said_difficulty_written = How hard each row is stands in { $file }
said_difficulty_few = train_subset: of { $names } fewer than 3 rows were judged, and every part has one of them
said_difficulty_nobody = train_subset takes rows by { $by }, and nobody has judged them
said_difficulty_not_so = train_subset takes rows by { $by }; they were judged by { $others }
said_difficulty_no_number = what { $judges } says of { $said_rows } is no number: nothing is written
said_difficulty_there = { $said_rows } are judged there by { $judges }, of which { $shared } are among these { $n }, and one file has one pool of rows
said_difficulty_suspects_none = none of its { $said_rows } is among these { $n }, with the class that it is given: these are suspects of other rows
said_difficulty_others = { $n } of { $said_rows } that were judged are not among the { $train } to train on: they were judged for other rows
said_difficulty_others_held = { $n } of { $said_rows } that were judged are not among the { $train } to train on, nor among the { $held } set aside for calibration: they were judged for other rows
said_difficulty_aside = train_subset: { $n } of { $said_rows } that were judged are set aside for calibration, and are in no part
said_difficulty_going_on = Going on: { $n } of { $said_rows } were judged before
said_finals_of_a_part = '{ $study }' tells of the part of its rows that is { $part } by { $by }: its finals learn from no row of validation
said_finals_of_a_size = '{ $study }' tells of a number of training rows, as a size of a learning curve: its finals learn from no row of validation
said_finals_of_a_part_fix = Leave --refit out: they are trained on the same part. Or create a study of all rows.
said_idle = { $option } says nothing without { $needs }
said_idle_fix = Add { $needs }, or leave { $option } out
## suite data

said_n_suspects = { $n ->
    [one] { $n } suspect
   *[other] { $n } suspects
}
said_suspects_few = too few rows to tell wrong labels from hard texts: { $n } of train and validation
said_suspects_read = Give { $n } at least; of so few, read each: a person is surer and quicker
said_suspects_one_class = only { $said_classes } with at least { $n } labelled rows: labels can't be held against others
said_suspects_two_classes = Give { $n } labelled rows of two classes at least
said_cannot_be_cut = { $said_rows } can't be cut so that two classes are left to learn whichever part is held out
said_more_of_each = Give more rows of each class
said_one_model = { $model } alone can't tell its own blind spots from wrong labels
said_two_models = Name arms of two models at least, for example { $arms }
said_arm_not_asked = { $arm } could not be asked: { $said_why }
said_an_arm_not_asked = an arm can't be asked:
said_asking_arms = Asking { $arms }: { $said_trainings } each, on { $said_rows }
said_training_without = Training without { $said_suspects }
said_wrote_suspects = Listed in { $file }: { $said_suspects }
said_more_suspects = More: --limit N; all of them: --out suspects.csv
said_other_rows = { $option } names other rows than { $file }
said_no_finals_yet = '{ $study }' has no finals yet: nothing was answered on test
said_score_winners = Score its winners: { $command }
said_sample_no_column = the bundled sample has no column beside text and label
said_leave_slice = Leave --slice away
said_other_fingerprint = the test rows found here are not those of the study: digest { $own }, stored { $stored }
said_restore_or_data = Restore the data, or name them with --data
