### 命令行的中文用语。其他模块所说的英文句子见 zh.told.ftl。


## Around what is said

warning = 警告
error = 错误：
next = 下一步：{ $what }
left_out = 终端宽 { $width } 列，未显示：{ $columns }；管道和 --json 输出全部。
banner_terminal = 内置样例
banner_terminal_more = 以下数字来自自动生成的文本，不是真实数据集的结果

## What stands above the columns

head_trial = #
head_rank = 名次
head_arm = 方案
head_note = 备注
head_state = 状态
head_test = 测试集
head_interval = 95% 置信区间
head_validation = 验证集
head_training = 训练用时
head_rate = 条/秒
head_latency = p90 毫秒
head_memory = 内存
head_trials = 试验数
head_settings = 超参数
head_engine = 引擎
head_precision = 精度
head_agreement = 一致率
head_p50 = p50 毫秒
head_p99 = p99 毫秒
head_offline = Offline 条/秒
head_server = Server 条/秒
head_study = 研究
head_task = 任务
head_recipe = 配方
head_finals = 测试集
head_best = 最佳分数（验证集）
head_created = 创建时间
head_model = 模型
head_family = 家族
head_millions = 参数（百万）
head_weights = 权重
head_revision = 版本
head_title = 标题
head_language = 语言
head_classes = 类别数
head_source = 来源
head_mean = 均值
head_pooled = 全部行
head_deviation = 标准差
head_splits = 划分
head_twice = { $size } 条时（规律）
head_off = 检验误差
head_way = 挑选方式
head_over_random = 相对随机
head_exponent = 指数

## Leaderboard, trials, engines

leaderboard_terminal = { $study }：{ $title }（{ $metric }）
replay_terminal = { $study }：{ $arm } 用各种方式挑选的样本（验证集 { $metric }）
replay_told = { $n ->
   *[other] 各方式都从相同的 { $first } 条已标注样本开始（共 { $n } 个不同的开头），当时平均分为 { $start }；各列为已标注样本总数，± 为 95% 区间的一半。没有打开测试集。
}
way_diverse = 不确定且互不相似
way_uncertain = 最不确定
way_random = 随机
growth_terminal = { $study }：随训练样本数（{ $metric }）
splits_terminal = { $study }：{ $n } 次划分
trials_terminal = 试验（显示 { $shown } / { $all }）
engines_terminal = { $study }：推理引擎
engines_within = Server：99% 的文本在 { $bound } 内得到回答时的最高速率。
fastest_terminal = { $scenario } 最快：{ $what }
fastest_on = { $arm }，引擎 { $engine }
on_host = 机器 { $host }
scored = 已评分
sample_mark = { $task }（样例）
refused_arms = 被拒绝：{ $arms }
arms_said_above = 另有 { $n } 个方案不能运行，原因见上。
retired_arms = 已退出：{ $arms }
failed_trials = { $n ->
    [one] 失败：{ $arm } 的试验 { $trials }
   *[other] 失败：{ $arm } 的 { $n } 次试验（{ $trials }）
}
because = { $what }：{ $reason }
head_strategy = 策略
head_runs = 可运行
head_happens = 原因，或会发生什么
head_kept = 任务的类别数相同时，继续训练已有的 { $n } 类分类头；否则新建
modules_new = 新建：{ $names }
modules_ignored = 忽略：{ $names }
made_to_embed = 该模型为嵌入而训练，并未学过回答
from_training_texts = （由训练文本构建）
unpinned = 未固定（main）
broken_file = 文件有误：{ $what }
able = 可
unable = 否
arms_here = 目录中的方案：{ $arms } 个中有 { $runs } 个可在本机运行
cannot_be_read = 无法读取
no_studies = 还没有研究。
best_arm_trial = { $arm }（试验 { $n }）
level_with = 与下列方案差异不显著：{ $arms }
scored_on = { $split }{ $metric } { $score }

## Progress

progress_trial = 试验 { $n }
progress_trained = 训练 { $time }
progress_spent = （共 { $time }）
progress_so_far = 已用 { $time }，{ $left }
head_wall = 用时
left_out_arms = 未选用：{ $arms }
ended_early = 搜索已提前结束：{ $why }。
short_arms = 时间不足：{ $arms }

## How hard rows are

difficulty_by = 按
difficulty_judge = 判定者
difficulty_title = { $n } 行训练数据有多难
difficulty_alike = { $a }与{ $b }对各行的排序相关为 { $rho }（斯皮尔曼）。
difficulty_suspected = { $of } 行中有 { $n } 行的标签可疑。
difficulty_suspects = 按{ $by }，标签可疑的占易的三分之一的 { $easy }，中等的 { $medium }，难的 { $hard }。

## suite data suspects

suspects_learnt = 训练集与验证集中的可疑标注：{ $n } / { $rows }。
suspects_test = 测试集中的可疑标注（不删除任何样本）：{ $n } / { $rows }。
suspects_place = 位置
suspects_given = 标注
suspects_likely = 更可能的类别
suspects_probability = 概率
suspects_agreed = 如此判断的方案数
suspects_text = 文本
suspects_scores = 测试集宏平均 F1（各训练一次）
suspects_all = 全部测试样本
suspects_sure = 去掉测试集可疑样本
suspects_without = 训练时去掉可疑样本
suspects_difference = 差
suspects_flattered = 去掉测试集可疑样本的得分，去掉的正是这些方案答错的样本，因而偏高。训练时去掉可疑样本的效果按全部测试样本判断。
suspects_opened = 测试集的标签在此与回答相遇。要改正，请在研究开始之前：为了得分而作的改动，不再是对它的测试。
suspects_few = 可学样本不足 { $n } 条的类别，其标注不作判断：{ $classes }。

## suite data slices

slices_title = { $arm } 在测试集各部分上的得分
