"""Wordings of the word problems: (kind, language, text).

`{n}` and `{m}` are names, `{o}` is a thing with its measure word, `{a}`..`{d}` are the operands in the order of the
kind. Numbers in digits belong to the operands; other constants are written out in words.
"""

from __future__ import annotations

NAMES: dict[str, list[str]] = {
    "zh": ["小明", "小红", "小刚", "小丽", "小华", "小军", "小芳", "小强"],
    "en": ["Tom", "Lucy", "Ben", "Anna", "Jack", "Mary", "Sam", "Kate"],
}
OBJECTS: dict[str, list[str]] = {
    "zh": ["个苹果", "支铅笔", "张贴纸", "颗糖果", "本书", "张卡片", "个气球", "枚邮票"],
    "en": ["apples", "pencils", "stickers", "candies", "books", "cards", "balloons", "stamps"],
}

TEMPLATES: tuple[tuple[str, str, str], ...] = (
    # one step: sums
    ("add", "zh", "{n}有{a}{o}，又得到了{b}{o}，现在一共有多少{o}？"),
    ("add", "zh", "商店上午卖出{a}{o}，下午卖出{b}{o}，全天共卖出多少{o}？"),
    ("add", "zh", "一班有{a}名学生，二班有{b}名学生，两个班合起来有多少名学生？"),
    ("add", "zh", "{n}昨天跑了{a}分钟，今天跑了{b}分钟，两天总共跑了多少分钟？"),
    ("add", "en", "{n} has {a} {o} and gets {b} more. How many {o} does {n} have now?"),
    ("add", "en", "A shop sold {a} {o} in the morning and {b} {o} in the afternoon. How many {o} were sold that day?"),
    ("add", "en", "There are {a} girls and {b} boys in the hall. What is the total number of children?"),
    ("add", "en", "{n} read for {a} minutes yesterday and {b} minutes today. How long is that altogether, in minutes?"),
    # one step: differences
    ("sub", "zh", "{n}有{a}{o}，送给{m}{b}{o}，还剩多少{o}？"),
    ("sub", "zh", "书架上原有{a}本书，被借走{b}本，现在还有几本？"),
    ("sub", "zh", "爸爸带了{a}元，买菜用去{b}元，剩下多少元？"),
    ("sub", "zh", "{n}收集了{a}{o}，{m}收集了{b}{o}，{n}比{m}多多少{o}？"),
    ("sub", "en", "{n} had {a} {o} and gave {b} of them to {m}. How many {o} are left?"),
    ("sub", "en", "A bus carried {a} people and {b} got off at the stop. How many people stayed on the bus?"),
    ("sub", "en", "{n} had {a} dollars and spent {b} dollars on lunch. How much money remains?"),
    ("sub", "en", "{n} collected {a} {o} while {m} collected {b}. How many more did {n} collect?"),
    # one step: products
    ("mul", "zh", "每盒装{a}{o}，{b}盒一共有多少{o}？"),
    ("mul", "zh", "一张电影票{a}元，买{b}张要付多少元？"),
    ("mul", "zh", "{n}每天写{a}个字，{b}天能写多少个字？"),
    ("mul", "zh", "果园里每行种{a}棵树，种了{b}行，共种了多少棵树？"),
    ("mul", "en", "Each box holds {a} {o}. How many {o} are in {b} boxes?"),
    ("mul", "en", "A ticket costs {a} dollars. How much do {b} tickets cost?"),
    ("mul", "en", "{n} writes {a} words every day. How many words is that after {b} days?"),
    ("mul", "en", "A garden has {b} rows with {a} trees in each row. How many trees does it have?"),
    # one step: quotients
    ("div", "zh", "老师把{a}{o}平均分给{b}个小组，每组分到多少{o}？"),
    ("div", "zh", "一根长{a}厘米的绳子剪成同样长的{b}段，每段长多少厘米？"),
    ("div", "zh", "{n}用{b}天看完了{a}页的故事书，平均每天看多少页？"),
    ("div", "en", "{a} {o} are shared equally among {b} teams. How many {o} does each team get?"),
    ("div", "en", "A rope of {a} meters is cut into {b} equal pieces. How long is one piece in meters?"),
    ("div", "en", "{n} finished {a} pages in {b} days, the same number each day. How many pages a day is that?"),
    # two steps
    ("add-sub", "zh", "水果店有{a}{o}，又运来{b}{o}，之后卖掉{c}{o}，店里还有多少{o}？"),
    ("add-sub", "zh", "车上有{a}人，到站先上来{b}人，再下去{c}人，此时车上有几人？"),
    ("add-sub", "en", "{n} has {a} {o}, buys {b} more and then loses {c}. How many {o} does {n} have in the end?"),
    (
        "add-sub",
        "en",
        "A library bought {a} novels and {b} atlases, then lent out {c} of them. How many remain inside?",
    ),
    ("mul-add", "zh", "{n}买了{b}盒鸡蛋，每盒{a}个，家里原来还有{c}个，现在家里共有多少个鸡蛋？"),
    ("mul-add", "zh", "一件上衣{a}元，买{b}件，另付运费{c}元，总共要花多少元？"),
    (
        "mul-add",
        "en",
        "{n} packs {b} bags with {a} {o} each and has {c} {o} left over. How many {o} were there at first?",
    ),
    (
        "mul-add",
        "en",
        "A worker earns {a} dollars an hour for {b} hours plus a bonus of {c} dollars. What is the total pay?",
    ),
    ("mul-sub", "zh", "学校买来{b}箱牛奶，每箱{a}瓶，喝掉{c}瓶以后还剩多少瓶？"),
    ("mul-sub", "zh", "{n}每月存{a}元，存了{b}个月后取出{c}元，账上还剩多少元？"),
    ("mul-sub", "en", "A farmer fills {b} crates with {a} eggs each, and {c} eggs break. How many eggs are whole?"),
    ("mul-sub", "en", "{n} saves {a} dollars a month for {b} months and then spends {c} dollars. What sum is left?"),
    ("add-mul", "zh", "每套餐具有{a}只碗和{b}只盘子，{c}套餐具共有多少只碗和盘子？"),
    ("add-mul", "zh", "甲每小时做{a}个零件，乙每小时做{b}个，两人合做{c}小时能完成几个零件？"),
    ("add-mul", "en", "A kit has {a} screws and {b} nails. How many pieces do {c} kits contain in all?"),
    ("add-mul", "en", "{n} bakes {a} cakes an hour and {m} bakes {b}. How many cakes do both bake in {c} hours?"),
    ("sub-div", "zh", "{n}有{a}元，先花掉{b}元，其余的钱平均分成{c}份，每份多少元？"),
    ("sub-div", "zh", "仓库有{a}吨货物，运走{b}吨后，剩下的用{c}辆车一次运完，每辆车装几吨？"),
    (
        "sub-div",
        "en",
        "From {a} seats {b} are reserved; the others form {c} equal rows. How many seats does a row have?",
    ),
    (
        "sub-div",
        "en",
        "{n} cuts {b} cm off a {a} cm ribbon and the rest into {c} equal strips. How many cm is a strip?",
    ),
    # three steps and more
    ("discount", "zh", "一双鞋原价{a}元，现在降价{b}%，{n}买了{c}双，付给收银员{d}元，应找回多少元？"),
    (
        "discount",
        "en",
        "A jacket at {a} dollars is reduced by {b}%. {n} buys {c} of them and pays with {d} dollars. "
        "What is the change in dollars?",
    ),
    ("pages", "zh", "一本书共{a}页，{n}第一天看了全书的1/{b}，第二天看了余下的1/{c}，还有多少页没看？"),
    (
        "pages",
        "en",
        "A tank holds {a} liters. On Monday 1/{b} of it is used, and on Tuesday 1/{c} of what is left. "
        "How many liters remain?",
    ),
    ("output", "zh", "工厂一月生产{a}台机器，二月比一月增产{b}%，三月比二月减产{c}%，第一季度一共生产多少台？"),
    (
        "output",
        "en",
        "A mill made {a} sacks in May, {b}% more in June than in May, and {c}% fewer in July than in June. "
        "How many sacks is that over the three months?",
    ),
    ("garden", "zh", "长方形花园长{a}米、宽{b}米，铺草皮每平方米{c}元，四周围栏每米{d}元，全部费用是多少元？"),
    (
        "garden",
        "en",
        "A rectangular yard is {a} m long and {b} m wide. Turf costs {c} dollars per square meter and fencing for the "
        "whole border {d} dollars per meter. What is the full cost in dollars?",
    ),
    (
        "work",
        "zh",
        "一批零件共{a}个，师傅每小时做{b}个，徒弟每小时做{c}个，合做{d}小时后，剩下的平均分给四个人，每人做多少个？",
    ),
    (
        "work",
        "en",
        "An order needs {a} parts. One machine makes {b} an hour, another {c} an hour. After both ran {d} hours, "
        "four workers share the remaining parts equally. How many does each make?",
    ),
    ("ratio", "zh", "果汁和牛奶共{a}箱，箱数之比是{b}比{c}，每箱都卖{d}元，牛奶比果汁多卖多少元？"),
    (
        "ratio",
        "en",
        "{a} tickets were sold to children and adults in the ratio {b} to {c}, at {d} dollars each. "
        "How many dollars more came from adults than from children?",
    ),
    ("interest", "zh", "{n}把{a}元存入银行，年利率{b}%，按单利计算，{c}年后连本带息取出，再花去{d}元，还有多少元？"),
    (
        "interest",
        "en",
        "{n} invests {a} dollars at {b}% simple interest a year for {c} years, withdraws everything and spends {d} "
        "dollars. How many dollars are left?",
    ),
    ("average", "zh", "甲班{a}人，平均分{b}分；乙班{c}人，平均分{d}分。两班全体同学的平均分是多少？"),
    (
        "average",
        "en",
        "A group of {a} pupils scored {b} points on average and another group of {c} pupils {d} points. "
        "What is the average of all the pupils?",
    ),
)
