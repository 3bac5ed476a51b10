"""The closed list of what is said of views of invented towns: 40 features.

What tells countries apart comes first (scripts, the side of the road, lines, palms), in the order in which reasons are
given. Every look is invented: a yellow line says which style a town has, and nothing about Earth.
"""

from __future__ import annotations

from geosleuth.training.towns.language.feature import ABOVE, EVERYWHERE, PICTURED, Feature, Wording
from geosleuth.training.towns.language.rules import (
    GROUND,
    fact,
    ground,
    roofs,
    sign_in,
    thing,
    traffic,
    trees_by_road,
    walls,
    white_paint,
    yellow_line,
)

_SCRIPTS = {  # Unicode's name: English, Chinese
    "THAI": ("Thai", "泰文"), "GEORGIAN": ("Georgian", "格鲁吉亚文"), "ARMENIAN": ("Armenian", "亚美尼亚文"),
    "HEBREW": ("Hebrew", "希伯来文"), "ARABIC": ("Arabic", "阿拉伯文"), "ETHIOPIC": ("Ethiopic", "埃塞俄比亚文"),
    "DEVANAGARI": ("Devanagari", "天城文"), "BENGALI": ("Bengali", "孟加拉文"), "GREEK": ("Greek", "希腊文"),
    "CYRILLIC": ("Cyrillic", "西里尔文"), "LATIN": ("Latin", "拉丁文"),
}  # fmt: skip
_COLOURS = {  # name: English words, Chinese words; the first is ours
    "red": (("red", "reddish", "brick-red", "terracotta"), ("红色", "砖红色", "红")),
    "sand": (("sand-coloured", "sand-colored", "sandy", "yellow", "yellowish", "ochre", "beige", "cream", "tan"),
             ("沙色", "黄色", "米色", "黄", "土黄色")),
    "grey": (("grey", "gray", "greyish", "grayish"), ("灰色", "灰")),
    "pale": (("pale", "white", "whitish", "light-coloured", "light-colored"), ("浅色", "白色", "白")),
}  # fmt: skip
_BOARD = r"(?:shop |street )?sign(?:board|age)?s?|boards?|letters|lettering|text|writing|words"
_ROOF, _WALL = r"roofs?|rooftops?", r"walls?|fa[cç]ades?|house fronts?|building fronts?"


def _script(name: str, english: str, chinese: str) -> Feature:
    en = rf"(?:{_BOARD})\b[^.,;]{{0,20}}\b{english}\b(?: (?:script|letters|alphabet|characters))?"
    en += rf"|{english} (?:script|letters|writing|alphabet|characters|text|(?:shop |street )?signs?(?:boards?)?)"
    zh = rf"(?:招牌|标志|文字)[^，。；、,.;:]{{0,6}}{chinese}|{chinese}(?:字母)?的?(?:招牌|标志|文字|字)?"
    return Feature(
        f"script_{name.lower()}",
        Wording(f"a sign in {english} script", f"A sign is written in {english} script.", en),
        Wording(f"{chinese}招牌", f"招牌上写的是{chinese}。", zh),
        GROUND, sign_in(name),
    )  # fmt: skip


def _coloured(name: str, of: str) -> Feature:
    english, chinese = _COLOURS[name]
    noun_en, noun_zh, nouns, nouns_zh = (
        ("roofs", "屋顶", _ROOF, "屋顶|房顶|瓦顶") if of == "roofs" else ("walls", "墙面", _WALL, "墙面|墙壁|外墙|墙")
    )
    words = "|".join(sorted(english, key=len, reverse=True))
    en = rf"(?:{words})(?:[- ]tiled?| and \w+| building| house)? (?:{nouns})"
    en += rf"|(?:{words})-roofed" if of == "roofs" else ""
    en += rf"|(?:{nouns}) (?:is |are |were |look )?(?:of |in |with )?(?:mostly |all )?(?:{words})(?: tiles?)?"
    words = "|".join(sorted(chinese, key=len, reverse=True))
    zh = rf"(?:{words})的?瓦?(?:{nouns_zh})|(?:{nouns_zh})(?:多)?(?:是|为|呈|均为|都是)(?:{words})的?"
    zh += rf"|(?:{words})瓦" if of == "roofs" else ""
    return Feature(
        f"{of}_{name}",
        Wording(f"{english[0]} {noun_en}", f"The {noun_en} are {english[0]}.", en),
        Wording(f"{chinese[0]}{noun_zh}", f"{noun_zh}是{chinese[0]}的。", zh),
        ABOVE if of == "roofs" else GROUND,
        roofs(name) if of == "roofs" else walls(name),
        colour=True,
    )  # fmt: skip


def _side(side: str, chinese: str) -> Feature:
    en = rf"(?:traffic|cars?|vehicles?|driv\w+|people drive)(?: \w+){{0,2}} (?:on|to) the {side}(?:[- ]hand)?(?: side)?"
    en += rf"(?: of the (?:road|street))?|{side}-hand (?:traffic|driving)"
    return Feature(
        f"traffic_{side}",
        Wording(f"traffic on the {side}", f"Traffic keeps to the {side}.", en),
        Wording(f"车辆靠{chinese}行驶", f"车辆靠{chinese}行驶。",
                rf"(?:车辆|汽车)?靠{chinese}侧?(?:行驶|行车|通行)|{chinese}侧(?:行驶|通行)"),
        GROUND | {"drone"}, traffic(side),
    )  # fmt: skip


_BY_ROAD = r"(?: (?:stand |standing )?(?:along|beside|by) the (?:road|street)s?)?"
_KEPT = (
    Feature("yellow_line",
            Wording("a yellow centre line", "The centre line is yellow.",
                    r"yellow (?:(?:centre|center|road|double|lane|dashed|solid) )*(?:lines?|markings?)"
                    r"|(?:centre|center|road|lane) (?:lines?|markings?) (?:is|are|in) yellow"),
            Wording("黄色中心线", "道路中心线是黄色的。", "黄色的?(?:道路)?(?:中心线|中线|标线|车道线)|黄色?双?线"
                    "|双黄线|(?:道路)?(?:中心线|中线|标线)(?:是|为|呈)黄色的?"),
            PICTURED, yellow_line, colour=True),
    Feature("white_markings",
            Wording("white road markings", "The markings on the road are white.",
                    r"white (?:(?:centre|center|road|street|double|lane|dashed|zebra) )*(?:lines?|markings?|stripes?)"
                    r"|(?:lines?|markings?)(?: on the (?:road|street))? (?:is|are|in) white"),
            Wording("白色道路标线", "道路标线是白色的。", "白色的?(?:道路)?(?:中心线|标线|车道线)|白线"
                    "|(?:道路)?标线(?:是|为|呈)白色的?"),
            PICTURED, white_paint, colour=True),
    Feature("palms",
            Wording("palm trees", "Palm trees stand along the street.", r"palm(?:s| trees?)" + _BY_ROAD),
            Wording("棕榈树", "街边有棕榈树。", "棕榈树?|椰子?树"),
            PICTURED, thing(("palm",), 0.002)),
    Feature("utility_poles",
            Wording("utility poles", "Utility poles stand along the street.",
                    r"(?:utility|power|wooden|telegraph|electric(?:ity)?|telephone) poles?|power lines?"),
            Wording("电线杆", "街边有电线杆。", "电线杆|电杆|电力线"),
            GROUND, thing(("pole",), 0.001)),
)  # fmt: skip
_SIGHTS = (
    Feature("water",
            Wording("a body of water", "There is a body of water.",
                    r"(?:bod(?:y|ies) of )?water(?! tower)|rivers?|lakes?|ponds?|canals?|waterways?"),
            Wording("水面", "有一处水面。", "水面|水体|水域|河流|河道|河水|湖面?|池塘|运河|河"),
            EVERYWHERE, ground(("river", "lake", "water", "sea"), 0.01)),
    Feature("bridge",
            Wording("a bridge", "There is a bridge.", r"bridges?|overpass(?:es)?"),
            Wording("桥梁", "有一座桥。", "桥梁|天桥|桥"),
            EVERYWHERE, ground(("bridge",), 0.003)),
    Feature("tower",
            Wording("a tower", "There is a tower.", r"(?:water )?towers?(?! blocks?)|spires?|steeples?"),
            Wording("高塔", "有一座高塔。", "高塔|尖塔|钟楼|塔"),
            PICTURED, thing(("tower",), 0.003)),
    Feature("high_rise",
            Wording("a high-rise building", "There is a high-rise building.",
                    r"(?:a )?high-?rises?(?: buildings?| blocks?)?|skyscrapers?|tower blocks?"
                    r"|tall (?:office |apartment )?(?:buildings?|blocks?)"),
            Wording("高楼", "有一座高楼。", "高楼大厦|高楼|摩天大?楼|高层建筑"),
            PICTURED, thing(("skyscraper",), 0.01)),
    Feature("junction",
            Wording("a street junction", "Streets meet at a junction.",
                    r"(?:street |road |t-)?(?:junctions?|crossings?|intersections?|crossroads?)|roundabouts?"),
            Wording("路口", "街道在路口相交。", "十字路口|丁字路口|交叉路口|路口|交叉口|环岛"),
            EVERYWHERE, fact("junction")),
    Feature("wide_road",
            Wording("a wide road", "The road is wide.",
                    r"(?:wide|broad|main) (?:road|street|avenue)s?|boulevards?|multi-lane roads?"
                    r"|(?:road|street)s? (?:is|are) (?:wide|broad)"),
            Wording("宽阔的道路", "道路很宽阔。", "宽阔?的?(?:道路|街道|马路)|主干道|大道|(?:道路|街道|马路)很?宽阔?"),
            EVERYWHERE, fact("wide_road")),
    Feature("car_park",
            Wording("a car park", "There is a car park.", r"car ?parks?|parking (?:lots?|areas?)"),
            Wording("停车场", "有一个停车场。", "停车场"),
            PICTURED, fact("car_park")),
    Feature("sports_field",
            Wording("a playing field", "There is a playing field.",
                    r"(?:playing|sports|football|soccer|athletics?) (?:field|pitch|ground)(?:e?s)?|pitch(?:es)?"),
            Wording("运动场", "有一个运动场。", "运动场|足球场|操场|球场"),
            EVERYWHERE, ground(("field",), 0.02)),
    Feature("fountain",
            Wording("a fountain", "There is a fountain.", r"fountains?"),
            Wording("喷泉", "有一个喷泉。", "喷水池|喷泉"),
            PICTURED, ground(("fountain",), 0.003)),
    Feature("monument",
            Wording("a monument", "There is a monument.", r"monuments?|statues?|sculptures?"),
            Wording("纪念碑", "有一座纪念碑。", "纪念碑|雕像|雕塑"),
            PICTURED, thing(("sculpture",), 0.002)),
    Feature("trees",
            Wording("trees along the road", "Trees stand along the road.",
                    r"(?:street |roadside )?trees?" + _BY_ROAD +
                    r"|tree-lined (?:road|street)s?"),
            Wording("路边的树木", "路边有树木。", "路边的?树木?|行道树|沿街的?树木?|绿树|树木|大树|树"),
            PICTURED, trees_by_road),
    Feature("lawn",
            Wording("a lawn", "There is a lawn.", r"lawns?|grass(?:y areas?| patch(?:es)?)?|meadows?"),
            Wording("草地", "有一片草地。", "草地|草坪"),
            EVERYWHERE, ground(("grass",), 0.08)),
    Feature("street_lamps",
            Wording("street lamps", "There are street lamps.",
                    r"(?:street|road) ?(?:lamp|light)s?|lamp ?posts?|lanterns?"),
            Wording("路灯", "有路灯。", "路灯|街灯"),
            GROUND, thing(("streetlight",), 0.002)),
    Feature("traffic_lights",
            Wording("traffic lights", "There are traffic lights.", r"traffic (?:light|signal)s?|signal lights?"),
            Wording("红绿灯", "有红绿灯。", "交通信号灯|红绿灯|交通灯|信号灯"),
            GROUND, thing(("traffic light",), 0.001)),
    Feature("signs",
            Wording("a signboard", "There is a signboard.", r"(?:shop |street )?sign(?:board)?s?|billboards?"),
            Wording("招牌", "有一块招牌。", "店铺招牌|招牌|标志牌|路牌|广告牌"),
            GROUND, thing(("signboard",), 0.002)),
)  # fmt: skip

FEATURES: tuple[Feature, ...] = (
    *(_script(name, *words) for name, words in _SCRIPTS.items()),
    _side("left", "左"),
    _side("right", "右"),
    *_KEPT,
    *(_coloured(name, "roofs") for name in _COLOURS),
    *(_coloured(name, "walls") for name in _COLOURS),
    *_SIGHTS,
)
BY_ID: dict[str, Feature] = {one.id: one for one in FEATURES}
