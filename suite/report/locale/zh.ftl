### 报告的中文用语。一条用语可以引用另一条（{ n_trials }），后者使用相同的值。


## How many

n_arms = { $arms } 个方案
n_trials = { $trials } 次试验
n_tasks = { $tasks } 个任务
n_studies = { $studies } 项研究
n_classes = { $classes } 类
n_rows = { $rows } 条样本
n_training_rows = { $training } 条训练样本
n_test_rows = { $test } 条测试样本
n_seeds = { $seeds } 个种子

## How things are joined

and = { " " }和{ " " }
or = { " " }或{ " " }
languages_and = 和
comma = 、
semicolon = ；
colon = ：
stop = 。
end = 。
space = { "" }
costs_and = 、
axis_log = { $title }（对数）
missing = –
yes = 是
no = 否
none = 无

## Numbers with a unit

unit_rps = { $n } 条/秒
unit_seconds = { $n } 秒
unit_minutes = { $m } 分 { $s } 秒
unit_hours = { $h } 小时 { $m } 分
unit_ms = { $n } 毫秒

## The frame of every page

html_lang = zh-CN
eyebrow = 文本分类研究
columns = 列
legend = 颜色与标记的含义
columns_shown = 此表显示的列
contents = 目录
skip = 跳到结论
noscript = 图表和排序需要启用 JavaScript；未启用时，下方表格仍可阅读。
made_by = 由 suite { $version } 生成
kept_fresh = 写于 { $at }，每 { $seconds } 秒自动刷新。
theme_auto = 主题：跟随系统
theme_light = 主题：浅色
theme_dark = 主题：深色
copy = 复制
copied = 已复制
sort_hint = 点击表头可排序。
filter_all = 全部方案
filter_states = 全部状态
filter_arms = 筛选方案
filter_families = 全部家族
show_more = 显示更多
shown_of = { $shown } / { $total }
choose_arm = 方案

## The index

index_title = 全部研究
index_intro = 共 { n_studies }，各有一页。
index_across = 跨研究比较各方案
answer_column = 结论
best_arm = 最佳方案

## What things are called

task = 任务
study = 研究
created = 创建于
model = 模型
family = 家族
family_classic = 传统模型
family_static = 静态词向量
family_encoder = 编码器
family_decoder = 解码器
family_decision = 决策模型
family_combined = 组合
trial = 试验
trials = 试验
state = 状态
state_complete = 已完成
state_pruned = 已剪枝
state_fail = 失败
state_running = 运行中
state_waiting = 等待中
hyperparameter = 超参数
hyperparameters = 超参数
split = 划分
split_train = 训练集
split_validation = 验证集
split_test = 测试集
rows = 样本数
rows_line = 训练 { $train } 条 · 验证 { $validation } 条 · { n_test_rows }
class = 类别
count = 样本数
best_score = 最佳分数
validation_rows = 验证集样本数
note = 备注
reason = 原因
reason_unknown = 未记录原因
no_answer = 无回答

## The answer

answer_title = 结论
banner_sample = 内置样例，并非真实数据
banner_sample_more = 这些样本由固定种子的生成器合成，便于在不下载数据的情况下试用本工具。本页所有数字只反映这些合成样本，与真实数据无关。
answer_missing = 没有任何{ $families }方案参与比较：它们全部被拒绝或退出（共 { $arms } 个，原因均已列出）。
chosen_of = 在多次试验中挑出验证集上最好的一次，其验证集分数因此偏乐观；测试集分数不受此影响，若训练也用了验证集，则模型还多用了样本：{ $arms }。
chosen_of_arm = { $arm }（{ $n } 次中最佳）验证集 { $validation }、测试集 { $test }
near_left_out = 除去训练数据中有几乎相同文本的 { $n } 条测试样本：{ $arms }。
near_left_out_little = 除去训练数据中有几乎相同文本的 { $n } 条测试样本，各分数的变化都不超过 { $most }。
near_left_out_arm = { $arm } { $score }（含这些样本为 { $whole }）
leans = 在验证集上，{ $arms }。{ $helps }
leans_arm = { $arm } 把 { $named } 的样本判为 { $label }，而实际只占 { $occurs }
leans_help_asked = 直接提问的模型，可用 calibration: batch 以及 score: words 或 both 扣除这种偏好。
leans_help_decided = 决策模型可试 descriptions: words、另一种 order 或 form: yes_no 来消除这种偏好。
leans_help_trained = 训练过的模型几乎没有学会：更多轮数、更小的批大小或更高的学习率会有帮助。
tokens_of_prompts = 提示词的平均词元数：{ $arms }。
tokens_of_prompt = { $arm } 为 { $whole }
tokens_read_anew = { $arm } 为 { $whole }，其中 { $read } 个要为每条文本重新读取
answer_opened_elsewhere = 本存储中的研究共打开过这个测试集 { $n } 次，其中还有 { $studies }：在那里看到的结果可能影响了这里。
answer_openings = 测试集已打开 { $n } 次；每多看一次，分数就更偏乐观。
# How a warning of the audit ends that stands before all else; as the told sentence has it.
ends_two_purposes = 同一划分被用于两种用途
answer_sample = 这里的数字来自内置样例，其文本由生成器写成；换成真实数据，每个数字都会不同。
answer_infeasible = 没有方案满足约束（{ $bounds }）；以下结论在全部方案中选出。
answer_unsure = 没有方案确定满足约束（{ $bounds }）；以下结论在可能满足的方案中选出。
take = 选用 { $arm }。
take_for_now = 暂时选用 { $arm }。
gives_test = 它在测试集上的{ $metric } 为 { $f1 }（95% 置信区间 { $low }–{ $high }），{ $other } { $accuracy }
gives_test_best = 它在测试集上得分{ way_highest }：{ $metric } 为 { $f1 }（95% 置信区间 { $low }–{ $high }），{ $other } { $accuracy }
gives_validation_best = 它在验证集上得分{ way_highest }：{ $metric } 为 { $f1 }，{ $other } { $accuracy }
gives_validation = 它在验证集上的{ $metric } 为 { $f1 }，{ $other } { $accuracy }
gives_trained = ；训练用时 { $time }
gives_serves = ；推理吞吐 { $rps }
best_adds = { $best } 得分最好：{ $metric } { way_more } { $gap }，{ $chance }{ $costs }。
best_adds_within = 约束之内 { $best } 得分最好：{ $metric } { way_more } { $gap }，{ $chance }{ $costs }。
best_adds_nothing = { $best } 得分相同{ $costs }。
costs_at = ；代价是{ $costs }
costs_training = 训练用时为其 { $times }
costs_speed = 推理吞吐为其 { $times }
cheapest_taken_all = 没有训练用时更短的方案。
cheapest_taken_useful = 在{ way_useful }的已排名方案中，没有训练用时更短的。
cheapest_all = 训练用时最短的是 { $arm }（{ $costs }），得分{ $scores }。
cheapest_useful = 在{ way_useful }的已排名方案中，训练用时最短的是 { $arm }（{ $costs }），得分{ $scores }。
scores_lower = { way_lower } { $gap }
scores_lower_tested = { way_lower } { $gap }，{ $chance }
scores_higher = { way_higher } { $gap }
scores_same = 相同
use_it = 如何使用
use_predict = 给一条文本分类
use_serve = 通过 HTTP 提供服务
use_export = 导出为文件夹
use_text = 您的一条文本
answer_within = 在约束之内（{ $bounds }）：
answer_nothing = 还没有方案完成试验，暂无排名。
answer_single = { $arm } 在测试集上最好：{ $metric } { $f1 }，比 { $second } { way_more_above } { $gap }，{ $chance }。
answer_lead = { $arm } 在测试集上最好：比 { $second } 好 { $gap }，{ $chance }。
answer_only = 只有 { $arm } 有测试集分数，没有可比较的对象：{ $metric } { $f1 }。
answer_only_within = { $arm } 在测试集上的{ $metric } 为 { $f1 }；约束之内没有其他方案参加测试。
recommended_other = 推荐 { $arm }：在 { $best } 没有显著超过、且至多{ way_below } { $margin } 的方案中，它的推理吞吐最高（{ $rps }）
recommended_below = ；它最多可能{ way_below } { $gap }
recommended_best = 推荐 { $arm }：在它没有显著超过、且至多{ way_below } { $margin } 的方案中，没有推理吞吐更高的
recommended_one_training = 在这些训练好的模型中推荐 { $arm }；它只训练了一次，无法说明重新训练的结果
recommended_no_speed = 在这些训练好的模型中推荐 { $arm }；决赛没有测得推理吞吐，因此取分数最好者
recommended_no_finals = 在这些训练好的模型中暂时推荐 { $arm }，以决赛结果为准
answer_tie = { $arms } 并列第一：在测试集上差异不显著；最好者比 { $second } 好 { $gap }，{ $chance }。
answer_tie_same = { $arms } 并列第一：在测试集上差异不显著。
answer_tie_within = { $arms } 在测试集上差异不显著；最好者比 { $second } 好 { $gap }，{ $chance }。
answer_tie_within_same = { $arms } 在测试集上差异不显著。
answer_member = { $arm }（{ $metric } { $f1 }，95% 置信区间 { $low }–{ $high }）
answer_member_next = { $arm }（{ $f1 }，{ $low }–{ $high }）
answer_more = 另外 { $n } 个
claim = 对方案的结论，指的是用本次搜索找到的超参数、在这批训练数据上训练它：超参数的选择与训练数据视为固定。
seeds_mean = 测试集分数是同一方案多次训练（{ $n } 次，各用一个种子）的平均；导出的是第一次训练得到的模型，在打开测试集之前就已选定。
refit_all = 决赛中每个方案都用训练集与验证集合并重新训练。
refit_some = 决赛中 { $arms } 用训练集与验证集合并重新训练，其余只用训练集。
one_training = 只训练了一次：{ $arms }。这样的分数只属于这个训练好的模型，不是对方案的结论。
one_training_why = 只训练了一次：{ $arms }（{ $reason }）。这样的分数只属于这个训练好的模型，不是对方案的结论。
settled_by = 以目前的数据，{ $a } 与 { $b } 之间 { $smallest } 的差异有 { $power } 的概率被发现；要发现 { $margin } 的差异，大约需要 { $ways }。
settled_rows = { $rows } 条测试样本
settled_trainings = 每个方案训练 { $n } 次
settled_neither = 以目前的数据，{ $a } 与 { $b } 之间 { $smallest } 的差异有 { $power } 的概率被发现；要发现 { $margin } 的差异，只增加测试样本或只增加训练次数都不够。
settled_already = 以目前的数据，{ $a } 与 { $b } 之间 { $smallest } 的差异有 { $power } 的概率被发现，{ $margin } 的差异也能发现。
interval_narrow = 每个类别约有 { $rows } 条测试样本（调和平均）：少于 { $least } 条时，分数的置信区间偏窄。
answer_looks = 这些结论是第 { $n } 次查看测试集之后得出的，p 值未就此校正。
chance_models = { $what }（仅就这些训练好的模型而言）
answer_tie_ranges = 最佳方案可能是以下任何一个：{ $arms }。没有方案显著优于其中任何一个；最好者比 { $second } 好 { $gap }，{ $chance }。
answer_tie_ranges_same = 最佳方案可能是以下任何一个：{ $arms }。没有方案显著优于其中任何一个。
spread_of_kind = 与 { $arm } 同类的方案（{ $arms }）共训练 { $n } 次，分数的标准差为 { $deviation }。
spread_of_kind_earlier = 在此前的研究中，与 { $arm } 同类的方案（{ $arms }）共训练 { $n } 次，分数的标准差为 { $deviation }。
combined_cascade = { $arm } 先问 { $first }；其回答的最大概率低于 { $threshold } 时，再问 { $second }：测试文本中有 { $share } 由 { $first } 回答。
combined_ensemble = { $arm } 是 { $members } 的加权平均。
combined_member = { $arm }（{ $weight }）
combined_chosen = 它是在 { $rows } 条各成员都没有见过的样本上选出的；在未参与选择的样本上得分为 { $held_out }，最佳的单个方案为 { $alone }。
combined_time = 组合的训练时间是各成员之和；没有为它另作训练。
answer_validation = 仅看验证集，{ $arm } 领先，{ $metric } { $f1 }，比 { $second } { way_more_above } { $gap }；测试集尚未打开，差异是否显著还不清楚。
answer_validation_same = 仅看验证集，{ $arm } 与 { $second } 得分相同，{ $metric } { $f1 }；测试集尚未打开。
answer_interval = { $f1 }（95% 置信区间 { $low }–{ $high }）
answer_stale = 决赛之后又继续搜索，因此决赛结果已过时：可能有更好的试验尚未测试。
answer_validation_only = 仅看验证集，{ $arm } 的{ $metric } 为 { $f1 }，其他方案尚无结果；测试集尚未打开。
answer_validation_only_within = 仅看验证集，{ $arm } 的{ $metric } 为 { $f1 }，约束之内的其他方案尚无结果；测试集尚未打开。
bound_min_rps = 推理吞吐至少 { $value } 条/秒
bound_max_train_seconds = 训练用时不超过 { $value }
bound_max_flips = 被注入文本左右的回答至多 { $value }
bound_other = { $name } { $value }
more_than_chance = 差异显著
more_than_chance_p = 差异显著（p { $p }）
could_be_chance = 差异不显著
could_be_chance_p = 差异不显著（p { $p }）
tiles_versus = 倍数均以 { $arm } 为基准。
role_best = 最佳
role_recommended = 推荐
role_tied = 并列最佳
role_open = 可能最佳
role_second = 第二名
role_fastest = 推理最快
role_thrift = 训练最快
role_useful = 限于{ way_useful }的已排名方案

## Metrics and axes

metric_rank = 名次
metric_arm = 方案
metric_on_test = 测试集{ $metric }
metric_test_interval = 95% 置信区间
metric_on_validation = 验证集{ $metric }
metric_train_seconds = 训练用时
metric_offline_rps = 推理吞吐（条/秒）
metric_p50_ms = p50 延迟
metric_p90_ms = p90 延迟
metric_peak_memory_bytes = 内存峰值
metric_parameters = 参数量
metric_trials = 试验数
metric_steered = 被注入文本左右的回答
metric_settings = 最佳超参数
axis_train_seconds = 训练用时（秒）
axis_offline_rps = 推理吞吐（条/秒，Offline）
axis_on_test = 测试集{ $metric }
axis_on_validation = 验证集{ $metric }
metric = 指标
value = 值

## The leaderboard

leaderboard = 排行榜
leaderboard_test = 按测试集排名：名次等于显著优于它的方案数加一。这样的方案数相同则名次相同（“=”），但并不说明它们一样好。
leaderboard_ranges = 按测试集分数排序。名次是一个区间：下限是显著优于它的方案数加一，上限是方案总数减去它显著优于的方案数。横线表示对该方案没有结论。
leaderboard_validation = 仅按验证集排序：决赛尚未进行，测试集未打开，不作显著性判断。
validation_folds = 验证：{ $n } 折，合并计分；折数使每折与验证集一样大。
validation_folds_some = 验证：{ $arms } 用 { $n } 折，合并计分；与只留出一份验证集的方案放在一起时，决赛之前显示和比较的只是第一折，即留出的那一份。
leaderboard_empty = 还没有方案有结果。
by_validation = 按验证集
tied_with = 与 { $arms } 并列
flag_stale = 已过时
flag_stale_more = 决赛之后研究又继续搜索
flag_contended = 资源争用
flag_contended_more = 测量时本机还有其他程序在计算
flag_unanswered = { $share } 未作答
flag_unanswered_more = 没有得到回答的样本，一律算错
flag_infeasible = 超出约束
flag_infeasible_more = 不满足配方中的约束
flag_unsure = 可能超出约束
flag_unsure_more = 某项数据的区间跨过约束值，或没有测量：不予推荐
flag_invalid = 测量无效
flag_invalid_more = LoadGen 判定这次测量无效（时间过短）
flag_refused = 被拒绝
flag_retired = 已退出
flag_short = 轮数较少
flag_one_training = 仅此模型
flag_one_training_more = 只训练了一次：对方案没有结论
flag_may_be_best = 可能最佳
may_be_best = 没有方案显著优于它
flag_deterministic = 结果固定
flag_deterministic_more = 重新训练得到同样的模型，训练一次即可
flag_no_final = 未测试
flag_no_final_more = 没有测试集分数
flag_disagrees = 结果不一致
flag_failed = 失败
trials_pruned = { $n }（剪枝 { $p }）
trials_title = 共结束 { $n } 次：完成 { $c }，剪枝 { $p }，失败 { $f }
comparisons = 差异显著性检验
comparisons_intro = 在同一批测试样本上的配对检验；p 值经 Holm 校正，低于 { $level } 即差异显著。
comparisons_family = 所有参与排名的方案两两比较，作为一个整体：置信区间对全部比较同时成立（95%），不含 0 即差异显著，此时 p 低于 { $level }。差异的不确定性一部分来自测试样本，一部分来自训练的随机性。
pair_a = 方案
pair_b = 对比方案
difference = { $metric } 之差
interval = 95% 置信区间
interval_low = 95% 下界
interval_high = 95% 上界
p_adjusted = p（Holm）
p_family = p
degrees = 自由度
variance_parts = 方差：样本 · 训练
verdict = 结论
verdict_real = { $arm } 显著更好
verdict_chance = 差异不显著
verdict_models = { $what }（仅就这些训练好的模型而言）
verdict_looks = 结论（第 { $n } 次查看测试集之后）
by_length = 测试集上按文本长度的宏平均 F1
by_length_intro = 附 95% 置信区间，旁注为该长度的样本数；不足 10 条时不作判断。各模型以自己的词元计长，因此同一长度范围内的样本可能因模型而异；没有词元的模型以词计。
by_length_most = ≤ { $most }
by_length_between = { $low }–{ $most }
by_length_above = > { $above }
by_length_rows = { $n } 条
by_length_unit = 长度单位
by_length_length = 长度
by_length_count = 样本数
length_in_tokens = 词元
length_in_words = 词
slices = 测试集的各部分
slices_about = { $arm } 在测试集各部分上的得分，附 95% 置信区间；不足 10 条时不作判断。每一部分与相同类别的其他样本比较，按训练样本数划分的类别以平均 F1 与其他类别比较，p 已按部分的数目校正。
slices_by = 划分依据
slices_value = 部分
slices_f1 = 宏平均 F1
slices_right = 答对
slices_expected = 别处答对
slices_p = p（全部部分）
slices_length = 词数
slices_language = 语言
slices_class_size = 类别的训练样本数
slices_none = （空）
slices_no_language = （无文字）
slices_chance = 共比较 { $n } 个部分：其中任何一个较差都可能只是偶然。
slices_weak = { $arm } 在{ $by }为 { $value } 处较弱：{ $rows } 条中答对 { $right }，别处为 { $expected }（p { $p }，共 { $n } 个部分）。
slices_weak_classes = { $arm } 在训练样本数为 { $value } 的类别上较弱：它们在 { $rows } 条上的平均 F1 为 { $f1 }，其他类别为 { $elsewhere }（p { $p }，共 { $n } 个部分）。
slices_not_compared = 没有可以比较的部分：样本太少，或没有相同类别的其他样本。
slices_narrow = 有 { $n } 个部分的置信区间偏窄：它们每个类别（调和平均）不足 { $least } 条。
slices_drift = 分类器能区分{ $one }与{ $other }：AUROC { $auroc }（{ $interval }），0.5 为随机猜测。在一处成立的，在另一处未必成立。
slices_no_drift = 分类器区分{ $one }与{ $other }的程度不超出偶然：AUROC { $auroc }（{ $interval }）。
slices_few = 有 { $n } 个类别可学或测试的样本不足 { $least } 条，难以评说：{ $classes }。它们的 F1 随个别样本而变，无法判断哪个方案在其上更好。
slices_few_class = { $label }（可学 { $train } 条，测试 { $test } 条）
slices_left_out = { $column } 的 { $n } 个取值未列出：样本太少，或其他取值的样本更多。
slices_more = 按语言、按数据中的任一列划分，以及各数据集之间是否有差异：
balanced_best = 稀有类别：在所搜索的弥补方式中，{ $arm } 在验证集上最好的试验用的是 { $way }（{ $ways }）。
balanced_none = 稀有类别：所搜索的弥补方式中，没有一种使 { $arm } 在验证集上的试验优于不弥补（{ $ways }）。
balanced_way = { $way } { $score }，{ $n } 次试验中最好
balanced_chance = 验证样本这样少，它与不弥补之间的差异可能出于偶然。
balanced_moved = 训练后移动类别使其宏平均 F1 从 { $before } 变为 { $after }。
taught = 蒸馏的收获
taught_by = { $arm } 向 { $by }（{ $study }）学习，后者回答了 { $texts }{ $own }。
taught_texts = { $n } 条无标注文本
taught_own = {"，"}以及 { $n } 条其未见过的训练样本
taught_gain = 其{ $metric }为 { $score }；没有教师时为 { $without }。
taught_score = 其{ $metric }为 { $score }。
taught_teacher = 教师的{ $metric }为 { $score }。
taught_speed = 每秒处理 { $own } 条文本，教师为 { $theirs } 条。
taught_asked = 共调用教师的服务器 { $n } 次；此后推理不再调用。
taught_saved = 此后不再需要教师。
energy_read = 一次训练及其打分的能耗（{ $by }，整机）：{ $arms }。
energy_of = { $arm } { $kwh } kWh
energy_estimated = 仅由 TDP 估算，故不列出：{ $arms }。
energy_contended = 读取时有其他进程在计算，故不列出：{ $arms }。
energy_served = Offline 下每条文本的能耗（{ $by }，整机）：{ $engines }。
energy_of_text = { $engine } { $joules } J
money = 各方案的费用
money_intro = 一百万条文本按实测速度计价，附该速度的 95% 置信区间；服务器按其返回的词元数计价；未测得的不计价。同时运行的试验分摊该时段费用。
money_hour = 本机每小时 { $hour }。
money_least = “≥”表示失败的试验可能也产生过调用。
money_training = 训练（{ $currency }）
money_search = 搜索（{ $currency }）
money_per_million = 一百万条文本（{ $currency }）
money_no_price = 未定价
money_no_speed = 无测速
money_no_tokens = 无词元计数
money_pays = 自有机器全天运行 { $own }，每天达到 { $texts } 条文本起，费用低于调用 { $asked }；每天最多可处理 { $most } 条。
money_unsure = 自有机器全天运行 { $own }，每天达到 { $texts } 条文本起，费用才低于调用 { $asked }；能否处理这么多尚不确定，按实测速度每天约 { $most } 条。
money_never = 自有机器运行 { $own } 的费用始终不低于调用 { $asked }：需每天 { $texts } 条文本，而它每天只能处理 { $most } 条。
money_repaid = 处理 { $texts } 条文本后即可收回训练与搜索的费用。
every_metric = 测试集上的全部指标
every_metric_intro = 每个数值后为其自身的 95% 置信区间。方案之间只按{ $metric }比较，不对其他指标下结论。

## 不属于任何类别的文本

scope = 不属于任何类别的文本
scope_intro = 各方案把测试集中 { $outside } 条不属于任何类别的文本与 { $inside } 条属于某类的文本区分开的能力。用哪种分数来判断在验证集上选定；{ $where ->
    [calibration] 放行 95% 域内文本的阈值在为校准留出的行上选定。
   *[validation] 放行 95% 域内文本的阈值也在验证集上选定。
}
scope_scores = 各方案的每种分数在测试集上的表现；用来判断的以粗体表示。
scope_auroc = AUROC
scope_fpr = 召回 95% 时放行的域外文本
scope_right = 放行且答对
scope_let_in = 放行的域外文本
scope_score = 判断依据
scope_by_probability = 最大概率
scope_by_class = 该类的概率
scope_by_energy = 能量
scope_by_distance = 到最近类别的距离
scope_by_neighbours = 与训练文本的接近程度

## 模型何时独立作答

deciding = 哪些可由模型独立决定
deciding_intro = 知道自己何时没有把握的模型，可以独立回答其余文本，把没有把握的转交出去。
deciding_none = { $command } 会找出概率从多少起可以独立作答，使答错的比例不超过您允许的上限。
decided_answers = { $arm } 独立回答 { $share } 的文本；其中答错的至多 { $most }，置信度 { $confidence }。其余转交。
decided_none = { $arm } 转交全部文本：没有任何阈值能以 { $confidence } 的置信度证明其回答中至多 { $most } 是错的。
decided_enough = 若它在最有把握处的错误率不变，{ $rows } 行就够了。
decided_answers_of_all = { $arm } 独立回答 { $share } 的文本；在全部文本中，平均至多 { $most } 被答错。其余转交。
decided_none_of_all = { $arm } 转交全部文本：只要作答，全部文本中平均被答错的就可能超过 { $most }。
decided_enough_of_all = { $rows } 行且无一答错就够了。
decided_test_of_all = 占那里全部文本的 { $share }。
decided_never = 多少行都不够：它在最有把握处也错得太多，或者从不作答。
decided_by_value = { $arm } 在概率不低于 { $threshold } 时独立作答：从此处起，作答的价值不低于转交。
decided_by_pairs = { $arm } 在作答的价值不低于转交时独立作答，逐条文本权衡。
decided_certified = 已证实
decided_estimated = 估计
decided_worth = 值得
decided_certified_more = 在专门留出、未被任何步骤见过的 { $rows } 行上证实。
decided_estimated_more = 只是估计，未经证实：依据的是其试验评分所用的 { $rows } 行。搜索之前留出一部分行才能证实（配方中的 calibration）。
decided_tried = 在专门留出的 { $rows } 行上试过。
decided_test = 在测试集上它回答 { $share }，其中 { $wrong } 答错。
decided_saves = 测试集上每 100 条文本节省的工作：{ $saved }。
decided_moved = 调整了类别的偏移：在没有用来拟合偏移的行上，宏平均 F1 为 { $after }，调整前为 { $before }。
decided_not_moved = 没有调整类别的偏移：在没有用来拟合偏移的行上，调整后宏平均 F1 为 { $after }，不调整为 { $before }。
decided_moved_test = 测试集上调整后宏平均 F1 为 { $after }，不调整为 { $before }。
decided_sets = 应有 { $coverage } 的文本其类别集合包含真实类别；测试集上为 { $holds }，平均每个集合 { $size } 个类别。
decided_answering = 独立作答
decided_wrong = 其中答错
decided_at_most = 至多答错
decided_threshold = 概率从
decided_test_answers = 测试集上作答
decided_test_wrong = 其中答错（测试集）
decided_saved = 每 100 条节省的工作
decided_ground = 依据
coverage_intro = 只回答测试文本中最有把握的一部分时，回答中答错的比例。曲线下面积即 AURC。
coverage_none = 决赛没有保留测试文本的概率。
axis_coverage = 作答的文本占比
axis_selective_error = 所答文本中答错的比例
finding_coverage = { $arm }：最有把握的 { $share } 文本中 { $error } 答错，全部文本中 { $all } 答错

## Hard rows

alike = 对谁难
alike_intro = 两个方案是否觉得同样的测试行难：它们逐行损失的斯皮尔曼等级相关。换一个种子，难的行也会不同：两个方案的共同之处至多是各自两个种子之间相关的几何平均。
alike_told = { $a } 与 { $b }：{ $rho }（{ $interval }）。
alike_told_most = { $a } 与 { $b }：{ $rho }（{ $interval }）；由各自的两个种子可知，至多为 { $most }。
alike_rho = 等级相关
alike_most = 上限（由各自的两个种子）
subset = 训练所用的行
subset_told = 按{ $by }（{ $judges }）的{ $part }：从判定过的 { $of } 行中取 { $rows } 行
subset_suspects = 其中 { $share } 的标签可疑。
subset_draw = { $told }，第 { $n } 次抽取
difficulty_easy = 易的三分之一
difficulty_medium = 中等的三分之一
difficulty_hard = 难的三分之一
difficulty_ambiguous = 模棱两可的三分之一
difficulty_random = 随机
difficulty_by_perplexity = 困惑度
difficulty_by_zero_shot = 零样本间隔
difficulty_by_dynamics = 训练动态
difficulty_by_agreement = 方案的一致
parts = 用哪些行训练
parts_intro = { $task }：按{ $by }（{ $judges }）把判定过的 { $of } 行分成若干部分，大小与类别比例相同，训练步数相同。分数下面是与随机行之差及其 95% 区间；一个方案的各部分算作一族，可能出于偶然的以灰色显示。
parts_gains = { $arm } 用 { $rows } 行训练：{ $part }比随机行高 { $gap }（{ $low }–{ $high }）。
parts_loses = { $arm } 用 { $rows } 行训练：{ $part }比随机行低 { $gap }（{ $low }–{ $high }）。
parts_suspects = 标签可疑的比例：{ $shares }。
parts_suspects_of = { $part }中 { $share }
parts_chance = 没有哪一部分与随机行有显著差异。
parts_draws = 每一部分至少抽取了 { $n } 次：结论对该部分的其他抽取也成立。
parts_drawn_once = 只抽取了一次的，结论只对抽到的这些行成立，换成同一部分的其他行可能不同。
parts_drawn = 抽取次数
parts_alike = 不同方案是否觉得同样的测试行难？用最多的随机行训练时，{ $told }

## Under a stranger's hand

stress = 陌生人之手
stress_intro = 把测试集中 { $n } 条文本改成陌生人可能写出的样子，再问一遍训练好的模型。被提问的方案把文本当作提示的一部分来读，训练出的方案则不然。
stress_none = { $command } 会用有错字、大小写改变、被截断以及注入了指令的文本再问训练好的模型。
stress_flipped = 改变了的回答
stress_flipped_intro = 被注入文本左右的回答，是原先不是该类的回答中变成指令所说类别的比例，减去同样这些行上同样长度的无害文字使之如此改变的比例。
stress_lost = 损失的宏平均 F1
stress_lost_intro = 在相同的行上比较，一个方案的各种改动算作一族；可能出于偶然的以灰色显示。
stress_plain = 原文
stress_typos = 错字
stress_case = 大小写
stress_cut = 截去一半
stress_homophones = 同音字
stress_traditional = 繁体字
stress_harmless = 无害文字
stress_name = 附上类别名
stress_instruction = 指令
stress_instructions = 各条指令的作用
stress_instructions_intro = 原先不是该类的回答中，变成指令所说类别的比例。无害文字不说任何类别：它的比例针对该行指令所说的类别，也就是偶然造成的部分。
stress_harmless_row = （与指令同样长度的无害文字）
stress_steered_most = 文本后面的指令最能左右 { $arm }：除去同样长度的无害文字也会造成的改变，{ $share } 的回答变成指令所说的类别（{ $interval }）；只附类别名时为 { $alone }。
stress_steered_least = 最不受左右的是 { $arm }：{ $share }（{ $interval }）；只附类别名时为 { $alone }。
stress_steered_only = 除去同样长度的无害文字也会造成的改变，文本后面的指令使 { $arm } { $share } 的回答变成指令所说的类别（{ $interval }）；只附类别名时为 { $alone }。
stress_unsteady = { $arm } 对 { $share } 的原文给出了与决赛时不同的回答：改变之中有这么多是它自身的。
stress_others = { $arm } 被问的是 { $n } 行，与其余方案不同。
stress_left_out = 未做：{ $changes }（{ $reason }）。
stress_row_change = 改动
stress_row_flipped = 改变的回答
stress_row_lost = 损失的宏平均 F1
stress_row_steered = 被左右的回答

## Not compared

absent = 未参与比较
absent_none = 所有方案均参与，没有试验失败。
refused = 被拒绝的方案
retired = 退出的方案
without_result = 尚无结果的方案
failed = 失败的试验
reason_waiting = 还没有试验结束
reason_all_pruned = { n_trials }全部被剪枝
reason_all_failed = { n_trials }全部失败
reason_none_complete = 没有完成的试验：剪枝 { $p }，失败 { $f }
and_more_groups = 另有 { $n } 种原因，见 JSON

## Every chart

chart_wait = 正在绘制图表……
chart_old = 浏览器版本过旧，无法显示图表；数值见表格和 JSON 文件。
data_show = 显示数据
data_hide = 隐藏数据
data_csv = 下载 CSV

## Quality against cost

charts = 效果与成本
charts_intro = 折线连接的方案，没有被其他方案在两个轴上同时超过。颜色区分方案，形状区分模型家族。
chart_rps = { $Metric } 与推理吞吐
chart_time = { $Metric } 与训练用时
chart_none = 还没有方案同时具备这两项数据。
chart_left_out = 因缺少数据而未画出：{ $arms }。
about_trade_off = { $y }与{ $x }；有测试集分数时附 95% 置信区间。{ way_up }、越靠近成本低的一侧越好。
bubbles = 圆点面积表示训练时的内存峰值。
pareto = 帕累托前沿
front_is = 位于前沿的方案：{ $arms }。
front_none = 画出的方案都不能确定满足约束：没有前沿。
finding_only = 只有 { $arm } 同时具备两项数据
finding_speed = { $arm } 的推理吞吐是 { $best } 的 { $times }，{ $metric } { way_less } { $gap }
finding_speed_level = 就测得的数据而言，{ $arm } 的推理吞吐最高，{ $metric } 比 { $best } { way_less } { $gap }
finding_speed_same = { $arm } 效果最好，推理也最快
finding_speed_same_drawn = 在画出的方案中，{ $arm } 效果最好，推理也最快
finding_time = { $best } 的训练用时是 { $arm } 的 { $times }，{ $metric } { way_more } { $gap }
finding_time_same = { $arm } 效果最好，训练也最快
finding_time_same_drawn = 在画出的方案中，{ $arm } 效果最好，训练也最快

## Published numbers

references = 已发表的结果
references_intro = 只有测试数据和训练规模与本研究一致的结果才画成横线；其余列出差异所在。
references_accuracy = 点线为准确率；画在{ $metric } 轴上仅供参考。
drawn = 已画入图表
drawn_later = 可比较，决赛之后画入图表
footnoted = 不可直接比较
ours = 本研究的最佳值
source = 出处
differs = 差异

## A learning curve

growth = 学习曲线
growth_intro = { $n ->
    [one] 每个规模（{ $sizes } 条）都是一项普通研究，用嵌套的部分训练样本，验证集与测试集相同。超参数在 { $searched } 条时搜索，其余规模沿用其中最接近者的。模型只从这些样本学习；用于在试验间选择的验证集在每个规模都有 { $validation } 条。
   *[other] 每个规模（{ $sizes } 条，除最大者外各抽取 { $n } 次）都是一项普通研究，用嵌套的部分训练样本，验证集与测试集相同。超参数在 { $searched } 条时搜索，其余规模与抽取沿用其中最接近者的。模型只从这些样本学习；用于在试验间选择的验证集在每个规模都有 { $validation } 条。
}
growth_crossing = 训练样本约达 { $size } 条起，{ $above } 高于 { $below }（{ $span }）。
growth_span = 95%：{ $low } 至 { $high }
growth_sooner = 少于所考察的规模
growth_later = 多于最大规模的四倍
growth_checked = { $n ->
   *[other] 作为检验，用不超过 { $known } 条的规模预测 { $size } 条时的分数：{ $n } 个方案平均相差 { $error }，其中 { $held } 个落在区间内。
}
growth_no_law = { $arms } 没有给出规律：规模不足四个，或分数不随样本增长。
growth_missing = 尚缺：{ $studies }。
growth_more_missing = 另外 { $n } 项
growth_choice = 有 { $size } 条训练样本时，{ $cheapest } 是部署成本最低、且不大可能比最优的 { $best } 低出容差的方案：按其规律为 { $score }。
growth_choice_best = 有 { $size } 条训练样本时选 { $best }：按其规律为 { $score }，没有部署更便宜而又接近的方案。
growth_choice_unmeasured = 有 { $size } 条训练样本时 { $best } 最优：按其规律为 { $score }。与之接近的方案并非都测过速度，故不判断哪个部署成本最低。
growth_finding_best = 有 { $size } 条训练样本时 { $arm } 得分最高，为 { $score }；按各自的规律，直到四倍样本数都不大可能有方案超过另一个。
growth_finding_highest = 有 { $size } 条训练样本时 { $arm } 得分最高：{ $score }。
growth_about = 点为测试集上的分数，每次抽取样本一个；线为穿过它们的规律（水平 - 尺度 × (样本数 + 偏移)^-指数），附这些测试样本上分数的 95% 区间带，延至最大规模的两倍。
growth_axis_rows = 训练样本数
growth_draw = 抽取
growth_carried = 超参数来自
growth_training_title = 训练用时随样本数的变化
growth_training_about = 单次训练的秒数，每次抽取样本一个。
growth_speed_title = 部署速度随训练样本数的变化
growth_speed_about = 每秒文本数，整批处理；每个规模测量一次。
growth_at = { $size } 条时
growth_error = 检验误差
growth_exponent = 指数
growth_advice = 该标注哪一类的样本
growth_advice_intro = 每次去掉某一类的一半训练样本（抽取多次），再训练 { $arm }；由其规律推算更多样本的收益。区间对所有类别同时成立，并计入另抽样本与另换测试样本的波动。从任意类别随机去掉同样多的样本作为对照。
growth_advice_none = 尚无结论：需要 { $arm } 的规律，以及去掉部分样本后的训练。
growth_any = 任意类别
growth_gain = 再有 { $n } 条 { $label } 的样本：{ $metric } { $gain } ± { $reach }。
growth_gain_none = 再有 { $n } 条 { $label } 的样本：测不出变化（{ $metric } ± { $reach }）。
growth_gain_once = 再有 { $n } 条 { $label } 的样本：{ $metric } { $gain }；只抽取一次，无从判断是否出于偶然。

## Several splits

splits = 多次划分
splits_intro = 每次划分都有自己的测试集，并单独搜索：用某一划分找到的超参数从未见过该划分的测试集。区间与结论出自校正的重采样 t 检验，两两比较的结论对所有比较同时成立。
splits_folds = 共 { $n } 折，合起来测试每一行，每折单独搜索。
splits_holdout = 共 { $n } 次划分，每次另取测试集并单独搜索。
splits_best = 均值最优的是 { $arm }：{ $mean }。
splits_above = 显著优于 { $arms }。
splits_level = 与 { $arms } 的差异可能出于偶然。
splits_missing = 尚缺：{ $studies }。
splits_mean = 均值
splits_deviation = 标准差
splits_pooled = 全部行合计
splits_done = 划分数
splits_verdict = 与最优者相比
splits_below = 更差
splits_chance = 可能出于偶然

## Serving engines

engines = 推理引擎
engines_intro = 用 MLPerf LoadGen 测量各方案保留的检查点在各引擎上的推理性能。若引擎在验证集上的预测与训练所得模型不一致，则不计时、不排名。
engines_bold = 粗体：该方案在此场景中最快的有效引擎；不同机器之间不作比较。
engines_star = 星号：该方案在此场景中最快的有效引擎；不同机器之间不作比较。
agreement = 一致率
agreement_rows = 验证集 { $n } 条样本
f1_difference = 宏平均 F1 之差
single_p50 = SingleStream p50
single_p99 = SingleStream p99
offline_rate = Offline（条/秒）
server_rate = Server（条/秒）
server_within = 随机到达，p99 不超过 { $bound }：实测 { $p99 }
prepare_seconds = 准备用时
fastest = 最快
fastest_more = 在此机器上测量的所有组合中，此场景下最快
engine_stale = 测量的是试验 { $n } 的检查点，现已不再保留

## How they learned

learned = 训练过程
learned_none = 还没有试验有多个检查点。
curves_intro = 试验预算各阶段的验证集{ $Metric }。粗线为该方案的最佳试验，浅色虚线为被剪枝的试验。
curves_capped = 共 { $total } 条曲线，画出 { $shown } 条：每个方案最好的 { $cap } 条。
axis_fraction = 预算比例
finding_curves = { $arm } 的最佳试验从预算的 { $share } 起，与其最佳分数相差不到 { $near }
finding_curves_rose = { $arm } 的最佳试验在预算的最后一段仍改善了 { $gap }：增加预算或许有用
finding_curves_fell = { $arm } 的最佳试验在预算的 { $share } 处最好，之后{ way_fell } { $gap }
finding_losses = { $arm } 的最佳试验在预算的 { $share } 处首次优于不读文本的猜测
finding_losses_none = { n_trials }记录了损失，都不是所属方案的最佳试验
finding_losses_never = { $arm } 的最佳试验始终不优于不读文本的猜测
losses_intro = 验证集上正确类别概率的 -ln 均值，画法同上。虚线：把各类所占比例当作概率的代价，即不读文本时的最小值。
finding_curves_none = { n_trials }有多个检查点

## What mattered

importance = 超参数重要性
importance_intro = 各超参数对其方案内{ $metric } 差异的解释比例（PED-ANOVA，至少需要 8 次完成的试验）。
importance_capped = 共 { $total } 项，画出最重要的 { $shown } 项，各方案数量相同；数据中有全部。
importance_none = 计算重要性要求某个方案至少有八次完成的试验；目前没有。
axis_importance = 重要性
finding_importance = 在 { $arm } 中，{ $parameter } 解释了试验间差异的 { $share }
parallel_intro = 每条线是一次试验，从各超参数连到验证集{ $metric }；越蓝越好，粗线最佳，虚线为被剪枝。
finding_parallel = 最佳试验 { $n } 得分 { $score }，其 { $parameter } = { $value }
slices_intro = 验证集{ $Metric } 与各超参数的关系；浅色为被剪枝，星号为最佳。
finding_slices = { n_trials }的验证集分数在 { $low } 与 { $high } 之间
knobs_capped = 共 { n_trials }，画出 { $shown } 次：最好的，以及其余的均匀抽样。
axes_capped = 共 { $total } 个超参数，画出最重要的 { $shown } 个。
knobs_none = 没有方案有三次以上超参数不同的试验。

## Where it errs

classes = 错误分析
classes_intro = 各方案的最佳试验，数据为{ $split }。矩阵的每一行是一个真实类别；颜色表示在该类中的占比。
top_confusions = 最常见的混淆
no_confusions = 没有混淆：全部正确。
true_class = 真实类别
predicted_class = 预测为
share_of_class = 占该类比例
true = 真实类别
predicted = 预测类别
confusion_intro = 行为真实类别（{ $split }）；颜色表示在该类中的占比。
confusion_summed = 各方案用 { n_seeds }各训练一次，计数为合计，因此每行各计一次。
confused_intro = { $classes } 个类别中相互混淆最多的 { $shown } 个（{ $split }）；行为真实类别，颜色为其在该类别中的占比。
finding_whole = 全部 { $classes } 个类别：{ $share } 的样本位于对角线上
confusion_zoom = 行为真实类别（{ $split }），颜色为其在该类别中的占比。拖动可放大：视野内不超过三十个类别时显示名称；双击恢复全貌。
finding_unanswered = { $true }有 { $rows } 条样本没有得到回答（{ $share }）
finding_confusion = { $true } 最常被误判为 { $predicted }：{ n_rows }，占该类 { $share }
finding_confusion_seeds = { $true } 最常被误判为 { $predicted }：占该类 { $share }（合计 { n_seeds }）
per_class_intro = { $split }上的 F1，最难的类别在前，每个点是一个方案。
per_class_intervals = 指向某点可见其 95% 置信区间、精确率与召回率；不对单个类别下结论。
precision_of = 精确率
recall_of = 召回率
per_class_capped = 按各方案平均值，画出 { n_classes }中最难的 { $shown } 类；全部见下表。
per_class_table = 全部 { n_classes }的 F1
finding_per_class = { $hard } 最难（平均 F1 { $low }），{ $easy } 最容易（{ $high }）
missed = 逐条错误
errors_count = { n_test_rows }中，至少被一个方案判错的有 { $n } 条，被所有方案判错的有 { $all } 条。
errors_shown = 显示 { $shown } 条，判错的方案越多越靠前。
errors_how = 要显示原文，运行 { $command }；要逐条查看，运行 { $errors }。
errors_seed = 用多个种子训练的方案，所示为首次训练的回答。
errors_by = 判错的方案
errors_by_any = 任一方案
errors_by_all = 所有方案
errors_pair = 混淆
errors_pair_any = 任意混淆
errors_pair_of = { $true } → { $predicted }
missed_row = 测试集行号（从 0 起）
missed_id = 数据编号
missed_text = 文本

## How sure it may be

calibration = 概率是否可信
calibration_intro = 各方案的概率在测试集上有多可信：模型自身的概率，以及实际给出的概率。温度在作答模型未见过的样本上拟合，只有当它降低了未参与拟合的样本的对数损失时才保留；最可能的类别不变。
reliability_intro = 测试样本按模型的把握分为样本数相等的区间，纵轴是其中答对的占比；实线：实际给出的概率，点线：模型自身的概率。落在虚线上表示说多准就有多准；低于虚线表示过于自信。
reliability_capped = 只画出前 { $shown } 个方案，共 { $total } 个；数据和表格中有全部方案。
calibration_ece = 校准误差
calibration_brier = Brier 分数
calibration_log_loss = 对数损失
calibration_temperature = 温度
calibration_rows = 拟合所用样本数
calibration_state = 概率
calibration_own = 自身
calibrated = 实际给出
uncalibrated = 自身
axis_confidence = 所给答案的概率
axis_right = 答对的占比
finding_calibration = { $arm } 与其所说相差最大，平均 { $before }；校准后实际给出的概率相差 { $after }
finding_calibration_kept = { $arm } 与其所说相差最大，平均 { $before }，并保留自身的概率
finding_calibration_none = 没有方案给出概率

## The search

search = 搜索过程
worker = 进程
timeline_intro = 每个条形是一次试验；浅色为被剪枝，叉纹为失败。第一次试验开始于 { $began }。
timeline_capped = 共 { n_trials }，画出最长的 { $shown } 次。
finding_timeline = { $workers } 个进程在 { $time } 内运行了 { n_trials }；其中 { $idle } 的时间没有试验
axis_elapsed_seconds = 距第一次试验开始的时间（秒）
axis_elapsed_minutes = 距第一次试验开始的时间（分钟）
axis_elapsed_hours = 距第一次试验开始的时间（小时）
start_seconds = 开始（秒）
end_seconds = 结束（秒）
states_intro = 各方案试验的结果；试验数相同则条长相同。
finding_states = { n_trials }中，{ $complete } 次完成，{ $pruned } 次被剪枝，{ $failed } 次失败
costs_intro = 各方案试验的实际用时。“其他”包括加载、推理测速和进程开销。
finding_costs = 全部试验共用时 { $time }，其中 { $arm } 占 { $share }
cost_training = 训练
cost_scoring = 评估
cost_other = 其他
axis_wall_seconds = 实际用时（秒）
axis_wall_minutes = 实际用时（分钟）
axis_wall_hours = 实际用时（小时）
history_intro = 每次试验的验证集{ $metric }；折线为当时的最佳值。
history_capped = 共 { n_trials }，画出 { $shown } 次：保留每次改进，其余均匀抽取。
finding_history = 在跑完的试验中，试验 { $n }（{ $arm }）的验证集分数最好，为 { $score }；此后又有 { n_trials }结束
finding_history_none = 还没有试验完成
axis_trial = 试验编号
best_so_far = 当时最佳
all_trials_more = 显示 { n_trials }

## The data

data = 数据
data_source = 数据来源
data_fingerprint = 数据指纹
data_train_of = 使用了 { n_training_rows }中的 { $n } 条
no_audit = 数据未经检查。
warnings = 警告
unread = 由其他版本写入，本版本无法读取
empty = 空文本
exact_duplicates = 完全重复
normalised_duplicates = 规范化后重复
near_duplicates = 近似重复
conflicting_labels = 标签冲突
length = 文本长度（字符数：均值 · p50 · p95 · 最大）
lengths_intro = 各数据划分中，长度不超过某字符数的文本所占比例。
axis_length = 文本长度（字符数）
axis_share = 文本占比
finding_lengths = { $split }中一半文本不超过 { $half } 个字符，二十分之一超过 { $long } 个
leaks = 数据划分之间的泄漏
test_in_train = 同时出现在训练集中的测试样本：{ $n } 条（忽略大小写和空白时 { $normalised } 条）
validation_in_train = 同时出现在训练集中的验证样本：{ $n } 条
near_train = 训练集中有几乎相同文本的样本（含完全相同的）：测试集 { $n } 条，验证集 { $validation } 条
near_about = “几乎相同”指两条文本的四字节片段有五分之四相同（由 MinHash 估计）。
near_compared = 每个数据划分只比较了前 { $n } 条。
class_counts = 各类样本数
class_range = 共 { n_classes }；最小的类有 { n_training_rows }（{ $low_name }），最大的类有 { $high } 条（{ $high_name }）
class_equal = 共 { n_classes }，每类 { n_training_rows }
class_table = 全部 { n_classes }
truncated = 因超过长度上限而被截断的文本

## Circumstances

circumstances = 实验条件
repeat = 复现命令
no_command = 没有记录命令。
commands_next = 后续命令
recipe = 配方
target = 目标试验数
allocation = 分配方式
sampler = 采样器
ends_early = 提前结束的条件
search_ended = 搜索结束的原因
pruner = 剪枝器
budget = 单次试验预算
bounds = 约束
latency_bound = 延迟上限
openings = 测试集打开次数
openings_of_split = 本存储中各研究打开它的次数
environment = 机器与版本
measured = 各方案的测量条件
revision = 模型版本
seed = 种子
precision = 精度
engine = 引擎
batch = 批大小
device = 设备
machine = 机器
threads = 线程数
versions = 版本
load_seconds = 加载用时
evaluation_seconds = 评估用时
learnt_in = 训练量
learnt_steps = { $steps } 步，{ $passes } 遍
learnt_more = （要求 { $asked } 遍）
learnt_smaller = ，批大小 { $batch }（要求 { $asked }）
learnt_continued = 中断后从第 { $at } 步继续（共 { $steps } 步）
other_form = 以 { $form } 形式：Offline { $rate }，SingleStream p50 { $p50 }
other_facts = 备注
contended = 资源争用

## Terms

glossary = 术语
term_arm = 方案
gloss_arm = 一个模型加上让它做分类的方法，例如 minilm/linear_head。比较的对象就是方案。
term_macro_f1 = 宏平均 F1
gloss_macro_f1 = 先算每一类的 F1（同时考虑漏判与误判），再对各类取平均。小类与大类同样重要；1 为全对。
term_accuracy = 准确率
gloss_accuracy = 判断正确的行所占的比例，大类的影响更大。
term_interval = 95% 置信区间
gloss_interval = 换一批同样的测试样本（以及训练过多次时换一次训练），除去 5% 的情形，分数所在的范围。区间越窄，说明测试集越够用。
term_p = p|p（Holm）
gloss_p = 假如两者其实没有差别，出现这样大差异的概率。低于 0.05 视为差异显著；已按比较的对数校正。
term_chance = 差异显著|差异不显著
gloss_chance = 换一批文本（以及训练过多次时换一次训练），差异是否仍在：在同一批测试样本上两两检验，以 p = 0.05 为界。
term_test = 测试集
gloss_test = 没有任何方案见过、也没有用来做选择的数据。对新文本可以期待的就是这里的分数。
term_validation = 验证集
gloss_validation = 从训练数据中留出、用来选择超参数的数据。既然据此做过选择，这里的分数略偏高。
term_finals = 决赛
gloss_finals = 研究的最后一步：把每个方案的最佳试验重新训练（时间允许时用多个种子），并在测试集上评分。
term_trial = 试验
gloss_trial = 用一组超参数把一个方案训练一次。
term_seed = 种子
gloss_seed = 决定训练中随机过程的数字。换一个种子，模型会略有不同。
term_claim = 对方案的结论
gloss_claim = 指用本次搜索找到的超参数、在这批训练数据上训练这个方案：换一次训练、换一批测试样本仍然成立。重新搜索或换一批训练数据，结果可能不同。
term_pruned = 剪枝
gloss_pruned = 在同一进度上落后于本方案的其他试验，因而提前停止。
term_rank = 名次
gloss_rank = 显著优于它的方案数加一。排名区间的另一端是各项检验允许的最差名次：方案总数减去它显著优于的方案数。名次相同不等于一样好。
term_degrees = 自由度
gloss_degrees = 差异的方差估计有多少依据。太少时（两三次训练只有 1 或 2）区间会很宽。
term_offline_rps = 推理吞吐
gloss_offline_rps = 同时有大量文本待处理时（MLPerf 的 Offline），每秒从原文开始能分类多少条。
term_p50 = p50
gloss_p50 = 逐条处理时，一半的文本在这个时间之内得到结果。
term_p90 = p90
gloss_p90 = 逐条处理时，十条中有九条在这个时间之内得到结果。
term_peak_memory = 内存峰值
gloss_peak_memory = 训练过程中某一时刻占用内存的最大值。
term_parameters = 参数量
gloss_parameters = 模型由多少个数构成；越多，占用的磁盘和内存越大。

## Across studies: the answer

across_title = 跨研究比较
across_eyebrow = 文本分类，多项研究
across_counted_line = { n_tasks }有测试集分数
across_common_line = { n_arms }在全部任务上有测试
across_sample_all = 这些都是内置样例，并非真实数据：数字不适用于任何真实任务。
across_sample_some = { $studies }：内置样例，仅展示，不计入平均。
across_validation = { $studies }：只有验证集分数，测试集尚未打开；仅展示，不计入平均。
across_nothing_yet = { $studies }：尚无结果。
across_stale = { $studies }：决赛之后又继续搜索，测试集分数已过时。
across_objectives = 各研究的目标指标不同（{ $studies }）：分数以及与最好成绩的差距只在研究内比较，不跨任务平均；名次与比较均按各研究自己的指标。
across_objective_of = { $study }：{ $metric }
across_mixed = 分数
across_machines = 各研究在不同机器上运行：训练用时和推理吞吐只在同一研究内比较，不跨任务平均。
across_machines_unknown = 并非每项研究都记录了机器：训练用时和推理吞吐只在同一研究内比较，不跨任务平均。
across_none = 还没有研究有测试集分数，暂时无法跨任务得出结论。
across_one_task = 只有 { $task } 的测试集分数可以计入，因此没有跨任务的平均。
across_one_task_best = 其中最好的是 { $arm }，{ $metric } { $f1 }。
across_one_task_best_within = 其中在约束之内最好的是 { $arm }，{ $metric } { $f1 }。
across_no_common = 没有方案在全部 { n_tasks }上都有测试，因此没有平均名次；{ $arm } 显著胜出的比例最高（{ $contests } 次比较中胜 { $won } 次）。
across_one_common = 只有 { $arm } 在全部 { n_tasks }上都有测试，其平均没有可比较的对象。
across_best = 在 { n_tasks }上，{ $arm } 平均最好：在全部任务都有测试的 { n_arms }中平均名次 { $rank }；其次是 { $second }，{ $rank2 }。
across_best_shared = 在 { n_tasks }上，{ $names } 平均名次并列最好：{ $rank }（共 { n_arms }在全部任务上有测试）。
across_silent = { $tasks } 个任务太少，无法跨任务排名（至少需要 { $least } 个）：各任务自己的结论见下表。
across_rests = 这只依据 { $tasks } 个任务：对任务重抽样，{ $arm } 的平均名次在 { $low } 到 { $high } 之间，胜率（{ $rate }）在 { $least } 到 { $most } 之间（95%）。
across_too_few_arms = 只有两个方案，不足以做跨任务检验。逐个任务看，{ $arm } 对 { $second }：显著胜 { $won }，不显著 { $level }，显著负 { $lost }。
across_friedman_none = 在这些任务上，各方案的名次差异不显著（Friedman 检验，p { $p }）。
across_cd_real = 这一领先显著：平均名次相差 { $distance }，超过临界差 { $cd }（Friedman p { $p }，Nemenyi 5%）。
across_cd_chance = 这一领先不显著：平均名次相差 { $distance }，未达到临界差 { $cd }（Friedman p { $p }，Nemenyi 5%）；同样差异不显著的有 { $arms }。
across_but = 但并非在每个任务上都有测试的 { $arm }，在两者都有测试的 { $met } 个任务中有 { $lost } 个显著优于它。
across_take_rival = 对于同类的新任务，先用 { $rival }；它无法运行时用 { $arm }
across_take = 对于同类的新任务，先用 { $arm }
across_take_level = ；{ $arm } 从未显著落后于它，训练用时只是它的 { $training }
across_take_cheap = ；在平均至多比最好{ way_below } { $far } 的其他方案中，训练用时最短的是 { $arm }，是它的 { $training }，平均再{ way_below } { $gap }
across_zero_shot = 完全没有标注时只有 zero_shot 方案可用：这里最好的是 { $arm }，平均比各任务最好的{ way_below } { $gap }（{ n_tasks }中的 { $n } 个）。
across_no_zero_shot = 完全没有标注时只有 zero_shot 方案可用，而这里没有测试过。
across_pair = { $task }，从 { $before } 到 { $after }：{ $what }。
across_pair_differ = 两者的不同之处：{ $facts }。
across_pair_alike = 记录的条件没有不同。
across_more_facts = { $n } 项，见下表
across_pair_better = 显著变好：{ $arms }
across_pair_worse = 显著变差：{ $arms }
across_pair_chance = 差异不显著：{ $arms }
across_pair_unknown = 不作判断：{ $arms }
across_pair_objectives = 目标指标不同，未作比较
across_pair_none = 没有方案在两者中都有分数
role_average = 平均名次最好
role_winner = 胜出最多
role_quick = 推理最快
role_frugal = 训练最快
across_versus = 倍数相对于同一研究中的 { $arm }：各任务的几何平均。
across_tasks_of = { n_tasks }中的 { $n } 个

## Across studies: arms and tasks

across_matrix = 方案与任务
across_matrix_lead = 测试集{ $Metric }、95% 置信区间及其在该研究中的名次；决赛包含多次训练时，名次是一个区间。
across_matrix_colour = 颜色越深，越接近该任务的最好成绩。
across_average_rank = 平均名次
across_gap = 与最好的差距
across_win_rate = 胜率
across_win_rate_more = 在各任务上得分优于其他共同方案的比例；持平算一半
across_gap_more = 该方案{ $metric } 比任务最好成绩{ way_below }的幅度，按有测试的任务平均
across_tasks = 任务数
across_first = 名列第一
across_won = 显著胜
across_level = 不显著
across_lost = 显著负
across_training = 训练用时
across_speed = 推理吞吐
across_speed_more = 横线表示两者的速度无法区分，或并非每个任务都按轮次测过
across_not_in_study = 不在该研究中
across_without = 无分数
across_not_counted = 不计入平均
across_refusals = 哪些方案在哪里被拒绝或退出
across_stands = 同一任务有多项研究时，矩阵中采用最新的有测试集分数的一项：{ $names }。

## Across studies: averages

across_averages = 总体
across_averages_lead = 比较：每个有测试集分数的任务上的每两个方案，按该研究的配对检验判定。
across_ranked_lead = 平均名次与胜率按分数计算，只含在全部 { $tasks } 个任务上都有测试的 { $arms } 个方案，并给出对任务重抽样的 95% 置信区间；其余以短横表示。
across_test_few = 跨任务排名至少需要 { $least } 个任务，显著性检验还需要三个共同方案：目前只有 { $tasks } 个任务、{ $arms } 个方案，不作跨任务判断。
across_test_said = 对 { n_tasks }、{ n_arms }的 Friedman 检验：χ² { $statistic }，p { $p }。临界差（Nemenyi，5%）：{ $cd } 名。
across_ranks_title = 在 { $arms } 个共同方案中，{ $arm } 在 { n_tasks }里有 { $first } 个分数最好，最低名次为 { $worst }
across_ranks_about = 共同方案之间按分数的名次：大点为平均，小点为各任务。
across_ranks_band = 灰色带为与最好者的临界差：落在其中即差异不显著。
axis_rank = 名次
across_wins_title = { $arm } 在 { $contests } 次比较中显著胜 { $won } 次，显著负 { $lost } 次
across_wins_about = 各方案配对比较结果的占比：每个任务上与其他每个方案比较。
axis_share_contests = 占比
across_won_long = 显著胜
across_lost_long = 显著负

## Across studies: quality against cost

across_trade_offs = 跨任务的效果与成本
across_trade_offs_reference = 成本均为同一研究（即同一台机器）中 { $arm } 的倍数；效果为与该任务最好成绩的差距。以 { $arm } 为基准，是因为它在每个任务都有测量的方案中平均最好。
across_trade_offs_median = 成本均为该研究中位方案的倍数，因为没有方案在每个任务上都有测量；效果为与该任务最好成绩的差距。
across_trade_title_speed = 在这里取平均的方案中，{ $arm } 推理最快：吞吐是 { $base } 的 { $times }，平均比最好{ way_below } { $gap }
across_trade_title_speed_level = 就测得的数据而言，在此取平均的方案中 { $arm } 最快，平均比最好{ way_below } { $gap }；与 { $base } 相比的倍数无法断定
across_trade_title_training = 在这里取平均的方案中，{ $arm } 训练最快：用时是 { $base } 的 { $times }，平均比最好{ way_below } { $gap }
across_trade_title_apart_speed = 逐任务的推理吞吐：机器不同，不作平均
across_trade_title_apart_training = 逐任务的训练用时：机器不同，不作平均
across_trade_title_some_speed = 逐任务的推理吞吐：没有方案在每个任务上都有测量
across_trade_title_some_training = 逐任务的训练用时：没有方案在每个任务上都有测量
across_trade_about = { $metric } 比任务最好成绩{ way_below }多少，横轴为{ $cost }（对数）。小点：单个任务；大点：在全部任务上都有测量的方案的平均。
across_far = 未画出（比最好{ way_below } { $far } 以上）：{ $points }。
across_far_point = { $task } 上的 { $arm }（{ $gap }）
across_cost_speed = 推理吞吐 ÷ { $base }
across_cost_training = 训练用时 ÷ { $base }
across_median = 中位方案
across_mean = 各任务平均
axis_gap = { $metric } 比任务最好{ way_below }
across_small_multiples = 逐个任务
across_small_lead = 各任务用各自的单位；同一方案颜色不变。
across_task_title = { $task }：{ $finding }
across_by_speed = 按推理吞吐
across_by_training = 按训练用时

## Across studies: side by side

across_pairs = 并排比较
across_pairs_lead = 同一任务的两项研究：条件有何不同，各方案是否变好。
across_pairs_left = 另有 { $n } 对未列出：研究较多时，各项只与最新的一项比较。
across_from_to = { $task }：{ $before } → { $after }
across_paired = 两者在同一批测试样本上都保存了预测：在这些样本上做配对自助检验，p 值对各方案做 Holm 校正。
across_unpaired_losses = 未配对，因为结果中没有逐行的损失：把两个 95% 置信区间当作独立样本来判断，灵敏度较低；p 值对各方案做 Holm 校正。
across_unpaired_no_predictions = 未配对，因为其中之一没有保存预测：把两个 95% 置信区间当作独立样本来判断，灵敏度较低；p 值对各方案做 Holm 校正。
across_unpaired_rows_differ = 未配对，因为测试样本不同：由两个 95% 置信区间判断，差异可能来自样本本身；p 值对各方案做 Holm 校正。
across_unpaired_objectives = 未作比较：两者的目标指标不同。
across_unpaired_sample = 未配对，因为其中之一是内置样例：其分数与真实任务无关。
across_no_claim = 并非两者都有测试集分数：只比较验证集，不作显著性判断。
across_machine_costs = 不比较训练用时与推理吞吐：机器不同或未知。
across_before = 之前
across_after = 之后
across_change = 变化
across_method = 检验方法
across_method_paired = 配对
across_method_unpaired = 由置信区间
across_method_none = 无
across_verdict_better = 显著变好
across_verdict_worse = 显著变差
across_verdict_chance = 差异不显著
across_verdict_unknown = 不作判断
across_only_before = 仅在 { $study } 中：{ $arms }。
across_only_after = 仅在 { $study } 中：{ $arms }。
across_what_changed = 有何不同
across_nothing_changed = 记录的条件没有不同。
across_unchanged = 两者相同：{ $facts }。
across_forest_title = { $better } 个显著变好，{ $worse } 个显著变差，{ $chance } 个差异不显著
across_forest_title_none = 两者共有 { n_arms }；不作显著性判断
across_forest_about = 从 { $before } 到 { $after } 的{ $metric } 变化及其 95% 置信区间。
axis_change = { $metric } 的变化
across_fact = 条件
fact_recipe = 配方
fact_arms = 方案
fact_source = 数据来源
fact_fingerprint = 数据指纹
fact_train_rows = 训练样本数
fact_validation_rows = 验证样本数
fact_test_rows = 测试样本数
fact_classes = 类别数
fact_machine = 机器
fact_python = Python
fact_seeds = 决赛种子数
fact_trials = 完成的试验数
fact_allocation = 分配方式
fact_sampler = 采样器
fact_pruner = 剪枝器
fact_openings = 测试集打开次数
fact_budget = 预算
fact_bounds = 约束
fact_versions = 版本
fact_revision = 模型版本
across_studies = 各项研究

## 分数的方向：损失越小越好

way_up = { $up ->
    [0] 越低
   *[1] 越高
}
way_highest = { $up ->
    [0] 最低
   *[1] 最高
}
way_more = { $up ->
    [0] 低
   *[1] 高
}
way_less = { $up ->
    [0] 高
   *[1] 低
}
way_more_above = { $up ->
    [0] 低
   *[1] 高
}
way_below = { $up ->
    [0] 高
   *[1] 低
}
way_lower = { $up ->
    [0] 高
   *[1] 低
}
way_higher = { $up ->
    [0] 低
   *[1] 高
}
way_fell = { $up ->
    [0] 上升
   *[1] 下降
}
way_useful = { $up ->
    [0] 损失不超过最小损失两倍
   *[1] 得分不低于最高分一半
}
