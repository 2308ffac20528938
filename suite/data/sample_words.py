"""What the bundled sample is made of: our own phrases for four kinds of news, in two languages.

Every place is invented, and so is what happens there. Words such as record, strike, deal, field,
cell and launch stand under several classes on purpose: a classifier that counts words must weigh
them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """One class: who, does what; what it is about; and the halves of its compound words."""

    name: str
    who: tuple[str, ...]
    does: tuple[str, ...]
    about: tuple[str, ...]
    fronts: tuple[str, ...]
    backs: tuple[str, ...]


@dataclass(frozen=True)
class Words:
    """A language's topics, and the sentences around them.

    In `turns`, {a} is what the text is about and {b} what it is not: the same words in another
    order are another class. In `rare`, only the compound {c} tells the class; `vague` tells
    nothing of it. Slots with a capital ({Who}) begin a sentence.
    """

    topics: tuple[Topic, ...]
    places: tuple[str, ...]
    times: tuple[str, ...]
    plain: tuple[str, ...]
    rare: tuple[str, ...]
    turns: tuple[str, ...]
    vague: tuple[str, ...]
    fillers: tuple[str, ...]
    asides: tuple[str, ...]
    joiner: str


def _list(text: str) -> tuple[str, ...]:
    """Phrases parted by semicolons, over as many lines as they need."""
    return tuple(" ".join(phrase.split()) for phrase in text.split(";"))


ENGLISH = Words(
    topics=(
        Topic(
            "World",
            who=_list("""
                the foreign minister; rebel leaders; the prime minister; the opposition; UN envoys;
                border guards; the new government; the exiled king; the parliament; aid workers;
                the ambassador; army officers; voters in the north; the president; both neighbours;
                the interim council; striking miners; the peace monitors; a delegation of elders;
                the islanders"""),
            does=_list("""
                sign a ceasefire; call an early election; reopen the embassy; free the hostages;
                reject the peace plan; close the border crossing; move troops to the frontier;
                vote on sanctions; ask for asylum; take in more refugees; host the summit;
                recall the envoy; declare a state of emergency; walk out of the talks;
                launch a campaign against corruption; accuse the neighbours of spying;
                defend a poor record on human rights; agree on a deal over the river;
                mourn the victims of the flood; strike against the new law; lose the capital;
                win a record majority"""),
            about=_list("""
                sanctions; refugees; elections; peace talks; border guards; diplomacy; troops;
                human rights; hostages; treaties; protests; asylum"""),
            fronts=_list("vice; ex; arch; counter; inter; post; pro; anti"),
            backs=_list("consul; regent; envoy; minister; treaty; regime; insurgent; summit"),
        ),
        Topic(
            "Sports",
            who=_list("""
                the home side; the young goalkeeper; the champions; the national team; the coach;
                the sprinter; the relay runners; the second seed; the visitors; the club captain;
                the rookie pitcher; the rowing crew; the referee; the veteran striker; supporters;
                the cyclists; the marathon winner; the skating pair; the substitutes;
                the underdogs"""),
            does=_list("""
                win the final on penalties; break the course record; sign a new striker;
                lose the opening match; fight back in the second half; reach the last eight;
                miss the season with a torn muscle; defend the title; take gold in the relay;
                score twice before the break; leave the field after a foul; settle for a draw;
                launch a bid for the cup; sack the coach after nine defeats; celebrate with fans;
                strike late to win the derby; move to a rival club; accuse the umpire of bias;
                train behind closed doors; shut out the visitors; retire after a long career;
                deal with a crowded calendar"""),
            about=_list("""
                football; penalties; cup ties; tennis; medals; derbies; cycling; goalkeepers;
                league tables; relay races; transfers; play-offs"""),
            fronts=_list("semi; quarter; mid; half; over; super; pre; under"),
            backs=_list("final; sprint; goalie; stroke; lap; fielder; striker; cup"),
        ),
        Topic(
            "Business",
            who=_list("""
                the airline; shareholders; the central bank; the carmaker; the retailer; investors;
                the family brewery; the board; oil producers; the finance chief; the steel group;
                small lenders; exporters; the insurer; analysts; the shipping line; the union;
                the hotel chain; pension funds; the grain traders"""),
            does=_list("""
                raise interest rates; report a record profit; cut four hundred jobs;
                bid for a smaller rival; issue new shares; warn of falling sales; lift the dividend;
                agree on a merger; sell the loss-making division; strike over pay;
                close the oldest plant; lose a fifth of the market; launch a cheaper brand;
                settle with the tax office; move orders abroad; sign a supply deal;
                file for bankruptcy; buy back old bonds; defend the high fees;
                win a bigger share of the market; hire a new treasurer; write off bad loans"""),
            about=_list("""
                share prices; mergers; interest rates; profits; layoffs; oil prices; dividends;
                currencies; exports; bankruptcies; loans; takeovers"""),
            fronts=_list("sub; re; co; multi; non; over; under; cross"),
            backs=_list("lender; investor; broker; payer; issuer; trader; bank; dividend"),
        ),
        Topic(
            "Sci/Tech",
            who=_list("""
                astronomers; the software maker; engineers; the space agency; marine biologists;
                the chip designer; a team of physicists; hackers; the telescope; researchers;
                the search engine; geneticists; the robotics lab; climate scientists; programmers;
                the browser project; the satellite; chemists; the online archive; the probe"""),
            does=_list("""
                launch a new satellite; find water on a distant moon; patch a security hole;
                map the genome of a moth; release a faster chip; publish the source code;
                test a battery made of salt; trace a virus to bats; win a record grant;
                teach a robot to fold laundry; lose contact with the lander;
                grow a cell in the dark; strike a match in zero gravity;
                share data across laboratories; break the old encryption;
                move the archive to new servers; sign up a million users;
                defend the network against spam; measure the melting glacier;
                deal with a flood of messages; film a squid at great depth;
                close a gap in the fossil record"""),
            about=_list("""
                software; telescopes; viruses; robots; genes; batteries; encryption; satellites;
                microchips; glaciers; browsers; fossils"""),
            fronts=_list("nano; micro; bio; cyber; photo; geo; radio; electro"),
            backs=_list("sensor; scope; graph; fibre; lab; filter; meter; tube"),
        ),
    ),
    places=_list("""
        Marenia; Port Aldous; the Velt valley; Osterby; the Kestrel coast; Tamsin Bay; Upper Lorne;
        Quill Harbour; the Sarn islands; Dunmarrow; Elmsworth; Novy Brod; Cape Orlan; Haverdale;
        the Lindow plain; Castle Merrow"""),
    times=_list("""
        on Tuesday; after weeks of rumours; over the weekend; for the first time in years;
        in front of a large crowd; late on Friday; despite the heavy rain; this spring;
        before the holidays; for the third time; after a long night; without much warning;
        on Monday morning; at the last minute; with little to show for it; once more"""),
    plain=(
        "{Who} in {place} will {does} {time}.",
        "{Time}, {who} will {does} in {place}.",
        "{Place}: {who} to {does}.",
        "{Who} may {does} {time}, people in {place} say.",
        "{Who} could {does}, and {place} takes notice.",
        "Will {who} {does} {time}?",
        "In {place}, {who} had to {does} {time}.",
        "Nobody in {place} expected {who} to {does} {time}.",
    ),
    rare=(
        "Another {c} makes the news in {place} {time}.",
        "{Time}, {place} hears of the {c}.",
        "What is a {c}, and why does {place} need one?",
        "The {c} of {place} is back {time}.",
        "In {place} the word {c} is on every page {time}.",
        "A new {c} for {place} {time}",
    ),
    turns=(
        "In {place} the talk is not of {b} but of {a} {time}.",
        "{Time}, {place} turns from {b} to {a}.",
        "Forget {b}: {place} wants to read about {a} {time}.",
        "{A}, not {b}, will fill the pages in {place} {time}.",
        "Instead of {b}, the evening in {place} brings {a} {time}.",
        "More {a} and less {b}: {place} changes the subject {time}.",
    ),
    vague=(
        "A record deal is close in {place} {time}.",
        "{Place} waits for a decision {time}.",
        "The campaign in {place} starts again {time}.",
        "A strike, a launch and a long wait in {place} {time}",
        "{Time}, the big match for {place} is off.",
        "New bid, old rivals: {place} looks on {time}.",
        "In {place} the field is open {time}.",
        "The share of {place} in all this is small {time}.",
    ),
    fillers=(
        "Nobody was available for comment.",
        "A longer statement is to follow {time}.",
        "The news reached {place} {time}.",
        "People in {place} had been waiting for it.",
        "It is not clear what happens next.",
        "Local radio in {place} carried the story {time}.",
        "Similar reports came from {place}.",
        "Much will depend on the weather in {place}.",
        "Those who know {place} were not surprised.",
        "Questions remain, and some of them are old.",
    ),
    asides=(
        "In other news, {who} will {does} in {place}.",
        "Elsewhere, {who} had to {does} {time}.",
        "On another page: {who} to {does}.",
        "The same day, in {place}, {who} could {does}.",
    ),
    joiner=" ",
)

CHINESE = Words(
    topics=(
        Topic(
            "国际",
            who=_list("""
                外交部长;反对党领袖;总理;联合国特使;边防军;新政府;流亡国王;议会;救援人员;大使;
                北方选民;总统;临时委员会;两个邻国;罢工矿工;和平观察员;岛上居民;长老代表团;叛军;
                难民代表"""),
            does=_list("""
                签署停火协议;宣布提前大选;重开大使馆;拒绝和平方案;关闭边境口岸;向边境增兵;
                就制裁进行表决;申请政治庇护;接收更多难民;主办首脑会议;召回特使;宣布紧急状态;
                释放最后一批人质;中途退出谈判;发起反腐运动;指责邻国从事间谍活动;为人权纪录辩护;
                就界河达成交易;悼念洪水遇难者;抗议新法案;以创纪录优势胜选;失守首都"""),
            about=_list("制裁;难民;大选;和谈;边境冲突;外交;人权;驻军;人质;条约;抗议;庇护"),
            fronts=_list("维和;邦交;边防;使馆;条约;政变;侨务;盟国"),
            backs=_list("部队;专员;公署;事务;防线;议员;权限;礼节"),
        ),
        Topic(
            "体育",
            who=_list("""
                主队;年轻门将;卫冕冠军;国家队;主教练;短跑名将;接力队员;二号种子;客队;俱乐部队长;
                新秀投手;赛艇队;主裁判;老将前锋;自行车手;马拉松冠军;球迷;双人滑组合;替补球员;
                弱旅"""),
            does=_list("""
                点球大战夺冠;打破赛道纪录;签下新前锋;输掉揭幕战;下半场连追两球;闯进八强;
                因肌肉拉伤赛季报销;成功卫冕;摘得接力金牌;半场前梅开二度;犯规后被罚下场;
                向奖杯发起冲击;雨中战平对手;九连败后换帅;补时绝杀德比对手;转投同城死敌;
                指责裁判偏袒对手;闭门训练备战;与看台一同庆祝;零封来访的对手;宣布退役;
                应付密集赛程"""),
            about=_list("足球;点球;杯赛;网球;奖牌;德比;自行车赛;门将;联赛;接力;转会;季后赛"),
            fronts=_list("球类;游泳;长跑;射门;滑雪;赛车;攀岩;拳击"),
            backs=_list("好手;健将;教练;赛道;护具;裁判;器材;场馆"),
        ),
        Topic(
            "财经",
            who=_list("""
                航空公司;股东;央行;汽车厂商;零售商;投资者;家族酒厂;董事会;石油生产商;财务总监;
                钢铁集团;小贷公司;出口企业;保险公司;分析师;航运公司;连锁酒店;养老基金;粮食贸易商;
                工会"""),
            does=_list("""
                上调利率;公布创纪录利润;裁员四百人;竞购较小的对手;增发新股;预警销量下滑;
                就合并达成一致;出售亏损业务;因薪酬发起罢工;关闭最老的工厂;提高分红;
                市值缩水五分之一;发布平价品牌;与税务部门和解;把订单转往海外;签下供货交易;申请破产;
                回购债券;为高额手续费辩护;抢占更大的市场份额;聘请新司库;核销坏账"""),
            about=_list("股价;并购;利率;利润;裁员;油价;分红;汇率;出口;破产;贷款;收购"),
            fronts=_list("股票;债券;税务;信贷;外汇;商铺;财务;期货"),
            backs=_list("利息;行情;账户;佣金;净值;限额;报表;柜台"),
        ),
        Topic(
            "科技",
            who=_list("""
                天文学家;软件厂商;工程师;航天局;海洋生物学家;芯片设计公司;物理学家团队;黑客;望远镜;
                研究人员;搜索引擎;遗传学家;机器人实验室;气候学家;浏览器项目;程序员;卫星;化学家;
                在线档案馆;探测器"""),
            does=_list("""
                发射新卫星;在遥远卫星上发现水;修补安全漏洞;绘制飞蛾基因图谱;发布更快的芯片;
                公开源代码;测试盐制电池;追踪病毒来源;获得创纪录的资助;教机器人叠衣服;
                与着陆器失去联系;在暗处培养细胞;在失重下点燃火柴;跨实验室共享数据;破解旧的加密算法;
                把档案迁往新服务器;迎来第一百万名用户;抵御垃圾邮件;测量融化的冰川;应付海量消息;
                在深海拍到巨型乌贼;补上化石记录的缺口"""),
            about=_list("软件;望远镜;病毒;机器人;基因;电池;加密;卫星;芯片;冰川;浏览器;化石"),
            fronts=_list("纳米;微波;光学;磁场;网络;核能;电子;代码"),
            backs=_list("仪器;透镜;导管;薄膜;探头;样本;频谱;阵列"),
        ),
    ),
    places=_list("""
        马雷港;奥斯特镇;维特山谷;茶隼海岸;塔辛湾;上洛恩;羽毛港;萨恩群岛;邓马洛;榆林堡;新布罗;
        奥兰角;黑文谷;林多平原;梅罗城;石桥县"""),
    times=_list("""
        周二;周三上午;周末;周五深夜;周一清晨;冒着大雨;数周之后;多年来首次;时隔多年;节日当天;
        午夜时分;月底;开春时节;一夜之间;傍晚;临近正午"""),
    plain=(
        "{place}的{who}{time}{does}。",
        "{time}，{who}在{place}{does}。",
        "{place}：{who}{does}。",
        "{place}有人说，{who}{time}可能{does}。",
        "{who}{does}，{place}为之侧目。",
        "{who}{time}会{does}吗？",
        "{place}的{who}不得不{does}。",
        "{place}没有人料到{who}{time}{does}。",
    ),
    rare=(
        "又一个{c}{time}在{place}成为新闻。",
        "{time}，{place}听说了{c}。",
        "{c}是什么，{place}为何需要它？",
        "{place}的{c}{time}回来了。",
        "{time}，“{c}”登上了{place}的每个版面。",
        "{place}{time}有了新的{c}",
    ),
    turns=(
        "{time}，{place}谈论的不是{b}，而是{a}。",
        "{time}，{place}从{b}转向{a}。",
        "别提{b}了，{place}{time}只想看{a}。",
        "{time}占据{place}版面的是{a}，而非{b}。",
        "{place}的夜晚{time}没有{b}，却有{a}。",
        "多些{a}，少些{b}：{place}{time}换了话题。",
    ),
    vague=(
        "{place}{time}接近一笔创纪录的交易。",
        "{place}{time}等待一个决定。",
        "{place}的活动{time}重新开始。",
        "{place}{time}有罢工，有发布，也有漫长的等待。",
        "{time}，{place}的大战取消了。",
        "新的竞争，老的对手，{place}{time}旁观。",
        "{time}，{place}的局面尚不明朗。",
        "{place}{time}在其中的份额很小。",
    ),
    fillers=(
        "各方均未置评。",
        "更长的声明{time}公布。",
        "消息{time}传到{place}。",
        "{place}的人们早有预料。",
        "接下来会怎样还不清楚。",
        "{place}的电台{time}播报了此事。",
        "{place}也有类似的报道。",
        "一切要看{place}的天气。",
        "熟悉{place}的人并不意外。",
        "疑问仍在，其中一些由来已久。",
    ),
    asides=(
        "另据报道，{who}将在{place}{does}。",
        "其他方面，{who}{time}{does}。",
        "其他版面：{who}{does}。",
        "同一天，{place}的{who}可能{does}。",
    ),
    joiner="",
)
