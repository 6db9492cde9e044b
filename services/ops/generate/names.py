"""Word tables for synthetic people: names, streets, towns, mail domains.

Owns the words only; who bears which is decided by the seeded generators. No real person is meant by any of
them.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GIVEN_FEMALE = _words(
    "Ada Agnes Alice Amelia Amy Angela Ann Anna Audrey Barbara Beatrice Bella Bernice Bonnie Carla "
    "Carmen Caroline Catherine Charlotte Chloe Christine Clara Daisy Daphne Deborah Diana Donna Dora "
    "Dorothy Edith Elaine Eleanor Elizabeth Ella Emily Emma Esther Eva Evelyn Faith Felicity Fiona "
    "Flora Frances Georgia Gloria Grace Greta Hannah Harriet Hazel Heather Helen Hilda Holly Ida Irene "
    "Iris Isabel Ivy Jane Janet Jasmine Jean Jennifer Jessica Joan Josephine Joyce Judith Julia June "
    "Karen Kate Laura Leah Lena Lily Linda Lois Lucy Lydia Mabel Margaret Maria Marion Martha Mary "
    "Matilda Megan Melissa Mildred Miriam Molly Monica Nadia Nancy Naomi Natalie Nina Nora Olive Olivia "
    "Pamela Patricia Paula Pearl Penelope Phoebe Rachel Rebecca Rhoda Rita Rosa Rose Ruby Ruth Sandra "
    "Sarah Sheila Sophia Stella Susan Sylvia Tamara Teresa Thelma Una Ursula Vera Victoria Viola Wendy "
    "Winifred Yvonne Zoe"
)

GIVEN_MALE = _words(
    "Aaron Abel Adam Adrian Alan Albert Alec Alfred Andrew Anthony Archie Arnold Arthur Austin Barry "
    "Basil Benjamin Bernard Brian Bruce Calvin Carl Cecil Charles Christopher Clarence Clifford Colin "
    "Conrad Cyril Daniel David Dennis Derek Desmond Donald Douglas Duncan Dylan Edgar Edmund Edward "
    "Edwin Elliot Eric Ernest Ethan Eugene Felix Francis Frank Frederick Gareth Geoffrey George Gerald "
    "Gilbert Gordon Graham Gregory Harold Harry Harvey Henry Herbert Howard Hugh Ian Isaac Ivan Jack "
    "Jacob James Jasper Jerome John Jonas Joseph Julian Justin Keith Kenneth Kevin Lawrence Leo Leonard "
    "Leslie Lewis Lionel Louis Lucas Luke Malcolm Marcus Mark Martin Matthew Maurice Max Michael Miles "
    "Nathan Neil Nicholas Nigel Noah Norman Oliver Oscar Oswald Owen Patrick Paul Peter Philip Ralph "
    "Raymond Reginald Richard Robert Robin Roger Roland Ronald Rupert Russell Samuel Sebastian Sidney "
    "Simon Stanley Stephen Stuart Terence Theodore Thomas Timothy Trevor Victor Vincent Walter Wilfred "
    "William"
)

GIVEN = GIVEN_FEMALE + GIVEN_MALE

_STARTS = _words(
    "Ash Black Brad Brook Chest Clay Cold Cran Dal East Ed Elm Fair Farn Glad Gold Green Hal Hart "
    "Hather Hazel High Hol Hunt Kings Lang Lin Mar Mel Mid Mor New North Oak Or Pem Pres Rad Red Rock "
    "Sher Stan Stock Sut Thorn Twy Wal War West Whit Win Wool"
)
_ENDS = _words(
    "berry bridge burn bury by combe cott croft dale den ditch field ford gate ham hurst land ley man "
    "mere more nell ridge sey shaw son stead stone ton ville wall ward way well wick wood worth"
)
SURNAMES = tuple(start + end for start in _STARTS for end in _ENDS)

_STREET_NAMES = _words(
    "Abbey Acorn Alder Anchor Apple Ash Barley Beacon Beech Birch Bluebell Bridge Brook Canal Castle "
    "Cedar Chapel Cherry Church Clover Copper Dove Eagle Elm Falcon Fern Field Forge Garden Granary "
    "Harbour Hawthorn Heron Hill Holly Ivy Juniper Lake Larch Laurel Lime Maple Meadow Mill Orchard "
    "Park Pine Poplar Quarry River Rowan School Spring Station Sycamore Tower Valley Walnut Willow"
)
STREETS = tuple(
    f"{name} {kind}"
    for name in _STREET_NAMES
    for kind in ("Street", "Road", "Lane", "Avenue", "Court", "Drive")
)

_TOWN_STARTS = ("Aber", "Bridge", "Cleve", "Dun", "Ever", "Farn", "Glen", "Haver", "King", "Lake")
_TOWN_ENDS = ("brook", "ford", "haven", "mouth", "port", "side", "stead", "ton", "vale")
TOWNS = tuple(
    (start + end, f"{10 + i * len(_TOWN_ENDS) + j:02d}")
    for i, start in enumerate(_TOWN_STARTS)
    for j, end in enumerate(_TOWN_ENDS)
)
"""(town, first two digits of its five-digit postcodes)."""

MAIL_DOMAINS = ("mail.example", "post.example", "inbox.example", "letters.example")

TOPICS = ("delivery", "invoice", "returns", "opening hours", "a product", "the account", "an offer")

PAGES = _words(
    "Start Offers Recipes Wine Bakery Fruit Fish Cheese Delivery Stores Account Cart Help Contact News Gifts"
)
