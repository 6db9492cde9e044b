"""Word tables of the household set: ranked names, short forms, keyboards, misreadings, states, placeholders.

Owns the words only, commonest first; who bears which is drawn elsewhere. No real person is meant by any.
"""

from __future__ import annotations

from services.ops.generate import names


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SURNAMES_COMMON = _words(
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson "
    "Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis "
    "Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera "
    "Campbell Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart "
    "Morris Morales Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim "
    "Cox Ward Richardson Watson Brooks Chavez Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo "
    "Sanders Patel Myers Long Ross Foster Jimenez Powell Jenkins Perry Russell Sullivan Bell Coleman Butler "
    "Henderson Barnes Gonzales Fisher Vasquez Simmons Romero Jordan Patterson Alexander Hamilton Graham Reynolds "
    "Griffin Wallace Moreno West Cole Hayes Bryant Herrera Gibson Ellis Tran Medina Aguilar Stevens Murray Ford "
    "Castro Marshall Owens Harrison Fernandez McDonald Woods Washington Kennedy Wells Vargas Henry Chen Freeman "
    "Webb Tucker Guzman Burns Crawford Olson Simpson Porter Hunter Gordon Mendez Silva Shaw Snyder Mason Dixon "
    "Munoz Hunt Hicks Holmes Palmer Wagner Black Robertson Boyd Rose Stone Salazar Fox Warren Mills Meyer Rice "
    "Schmidt Garza Daniels Ferguson Nichols Stephens Soto Weaver Ryan Gardner Payne Grant Dunn Kelley Spencer "
    "Hawkins Arnold Pierce Hansen Peters Santos Hart Bradley Knight Elliott Cunningham Duncan Armstrong Hudson "
    "Carroll Lane Riley Andrews Alvarado Ray Delgado Berry Perkins Hoffman Johnston Matthews Pena Richards "
    "Contreras Willis Carpenter Lawrence Sandoval Guerrero George Chapman Rios Estrada Ortega Watkins Greene Nunez "
    "Wheeler Valdez Harper Burke Larson Santiago Maldonado Morrison Franklin Carlson Austin Dominguez Carr Lawson "
    "Jacobs OBrien Lynch Singh Vega Bishop Montgomery Oliver Jensen Harvey Williamson Gilbert Dean Sims Espinoza "
    "Howell Li Wong Reid Hanson Le McCoy Garrett Burton Fuller Wang Weber Welch Rojas Lucas Marquez Fields Park "
    "Yang Little Banks Padilla Day Walsh Bowman Schultz Luna Fowler Mejia Davidson Acosta Brewer May Holland "
    "Juarez Newman Pearson Curtis Cortez Douglas Schneider Joseph Barrett Navarro Figueroa Keller Avila Wade "
    "Molina Stanley Hopkins Campos Barnett Bates Chambers Caldwell Beck Lambert Miranda Byrd Craig Ayala Lowe "
    "Frazier Powers Neal Leonard Gregory Carrillo Sutton Fleming Rhodes Shelton Schwartz Norris Jennings Rios "
    "Watts Duran Walters Cohen McDaniel Moran Parks Steele Vaughn Becker Holt DeLeon Barker Terry Hale Leon Hail "
    "Benson Haynes Horton Miles Lyons Pham Graves Bush Thornton Wolfe Warner Cabrera McKinney Mann Zimmerman "
    "Dawson Lara Fletcher Page McCarthy Love Robles Cervantes Solis Erickson Reeves Chang Klein Salinas Fuentes "
    "Baldwin Daniel Simon Velasquez Hardy Higgins Aguirre Lin Cummings Chandler Sharp Barber Bowen Ochoa Dennis "
    "Robbins Liu Ramsey Francis Griffith Paul Blair OConnor Cardenas Pacheco Cross Calderon Quinn Moss Swanson Chan "
    "Rivas Khan Rodgers Serrano Fitzgerald Rosales Stevenson Christensen Manning Gill Curry McLaughlin Harmon McGee "
    "Gross Doyle Garner Newton Burgess Reese Walton Blake Trujillo Adkins Brady Goodman Roman Webster Goodwin "
    "Fischer Huang Potter Delacruz Montoya Todd Wu Hines Mullins Castaneda Malone Cannon Tate Mack Sherman Hubbard "
    "Hodges Zhang Guerra Wolf Valencia Saunders Franco Rowe Gallagher Farmer Hammond Hampton Townsend Ingram Wise "
    "Gallegos Clarke Barton Schroeder Maxwell Waters Logan Camacho Strickland Norman Person Colon Parsons Frank"
)
SURNAMES_RARE = names.SURNAMES

FEMALE_OLDER = _words(
    "Mary Linda Patricia Barbara Susan Deborah Elizabeth Karen Nancy Jennifer Donna Lisa Sandra Margaret Kimberly "
    "Carol Sharon Michelle Cynthia Pamela Dorothy Betty Angela Amy Maria Debra Melissa Diane Kathleen Laura Helen "
    "Brenda Christine Judith Cheryl Janet Rebecca Stephanie Catherine Virginia Shirley Kathy Julie Carolyn Joan "
    "Theresa Judy Beverly Ruth Joyce Janice Denise Martha Frances Ann Tammy Marilyn Teresa Jean Alice Gloria "
    "Jacqueline Kelly Evelyn Katherine Heather Rose Doris Connie Tina Peggy Diana Bonnie Lori Cindy Jane Rita Robin "
    "Wendy Ellen Anna Phyllis Tracy Dawn Elaine Gail Paula Sheila Suzanne Marie Andrea Sally Jo Lois Norma Anne "
    "Josephine Victoria Roberta Darlene Rhonda Vicki Regina Yvonne Annette Charlene Marjorie Eileen Kristin Arlene"
)
MALE_OLDER = _words(
    "James Robert John Michael David William Richard Thomas Mark Charles Steven Joseph Gary Kenneth Donald Ronald "
    "Paul Daniel Larry Brian Jeffrey Kevin Timothy Edward George Christopher Dennis Scott Gregory Stephen Anthony "
    "Jerry Raymond Roger Douglas Frank Terry Patrick Bruce Keith Eric Peter Matthew Craig Andrew Randy Gerald Carl "
    "Lawrence Walter Arthur Joe Jack Wayne Albert Henry Philip Ralph Roy Todd Randall Eugene Russell Harold Jose "
    "Alan Johnny Danny Glenn Willie Billy Rodney Louis Howard Chad Barry Martin Ricky Phillip Stanley Fred Bobby "
    "Victor Jimmy Dale Curtis Harry Allen Leonard Ernest Norman Marvin Vincent Melvin Francis Earl Samuel Benjamin "
    "Nicholas Jonathan Joel Theodore Alfred Frederick Clarence Leroy Jay Ray Warren Darrell Gordon Leon Tony Edwin"
)
FEMALE_YOUNGER = _words(
    "Jessica Ashley Emily Sarah Samantha Amanda Elizabeth Taylor Megan Hannah Stephanie Kayla Jennifer Lauren Emma "
    "Rachel Olivia Madison Alexis Nicole Victoria Abigail Brittany Courtney Alyssa Rebecca Morgan Jasmine Amber "
    "Danielle Brianna Sophia Isabella Grace Katherine Anna Natalie Alexandra Christina Kelsey Allison Chelsea Haley "
    "Sydney Maria Shelby Destiny Melissa Julia Michelle Kimberly Erin Mary Chloe Vanessa Jordan Kaitlyn Savannah "
    "Andrea Brooke Paige Caroline Hailey Sara Amy Laura Leah Gabrielle Mackenzie Jenna Tiffany Ava Mia Ella Lily "
    "Zoe Claire Audrey Molly Lillian Caitlin Kathryn Ariana Faith Autumn Angela Sierra Bailey Trinity Kate Lucy "
    "Alicia Catherine Kristen Erica Heather Margaret Veronica Monica Kendra Miranda Naomi Diana Cassandra Avery "
    "Evelyn Riley Charlotte Amelia Harper Nora Hazel Violet Eleanor Josephine Daisy Ruby Alice Eva Ellie Maya Isla"
)
MALE_YOUNGER = _words(
    "Michael Christopher Matthew Joshua Andrew Jacob Daniel Tyler Nicholas Joseph David James John Ryan William "
    "Brandon Anthony Zachary Jonathan Alexander Robert Justin Ethan Kevin Austin Thomas Samuel Benjamin Cody Jordan "
    "Kyle Steven Dylan Logan Noah Christian Jose Brian Nathan Timothy Richard Eric Aaron Hunter Adam Caleb Connor "
    "Cameron Sean Jason Luis Charles Evan Isaac Mason Jack Luke Gabriel Elijah Jared Juan Carlos Ian Trevor Isaiah "
    "Patrick Alex Devin Cole Seth Blake Garrett Chase Lucas Edward Jeremy Xavier Dominic Jesus Owen Liam Henry "
    "Wyatt Max Oliver Leo Theodore Oscar Felix Miles Nolan Julian Adrian Antonio Peter Paul Mark Victor George "
    "Vincent Colin Spencer Derek Shane Brett Marcus Trent Grant Preston Tanner Mitchell Bryce Edwin Frederick "
    "Phillip Gregory"
)

_NICKNAMES = """
Robert Bob Rob Bobby; William Bill Will Billy; James Jim Jimmy Jamie; John Jack Johnny; Michael Mike Mick; Richard
Rick Dick Rich; Joseph Joe Joey; Thomas Tom Tommy; Charles Chuck Charlie; Christopher Chris Kit; Daniel Dan Danny;
Matthew Matt; Anthony Tony; Steven Steve; Stephen Steve; Andrew Andy Drew; Kenneth Ken Kenny; Edward Ed Ted Ned;
Ronald Ron; Timothy Tim; Jeffrey Jeff; Nicholas Nick; Jonathan Jon; Lawrence Larry; Gregory Greg; Benjamin Ben;
Samuel Sam; Alexander Alex Sandy; Patrick Pat Paddy; Raymond Ray; Dennis Denny; Gerald Jerry; Joshua Josh; Zachary
Zack; Jacob Jake; Douglas Doug; Peter Pete; Henry Hank Harry; Walter Walt; Arthur Art; Albert Al Bert; Frederick
Fred; Francis Frank; Donald Don; David Dave; Theodore Ted Theo; Leonard Len Lenny; Eugene Gene; Harold Hal Harry;
Philip Phil; Phillip Phil; Ernest Ernie; Vincent Vince Vinny; Nathan Nate; Nathaniel Nate; Gabriel Gabe; Cameron
Cam; Isaac Ike; Russell Russ; Stanley Stan; Howard Howie; Alfred Alf Fred; Victor Vic; Randall Randy; Martin Marty;
Samantha Sam; Elizabeth Liz Beth Betty Lizzie; Margaret Peggy Meg Maggie; Katherine Kate Kathy Katie; Catherine
Cathy Kate Cat; Kathryn Kathy Kate; Kathleen Kathy Kay; Patricia Pat Trish Patty; Jennifer Jen Jenny; Susan Sue
Susie; Deborah Deb Debbie; Debra Deb Debbie; Barbara Barb Babs; Dorothy Dot Dottie; Rebecca Becky Becca; Jessica
Jess Jessie; Christine Chris Tina; Christina Tina Chrissy; Stephanie Steph; Victoria Vicky Tori; Jacqueline Jackie;
Virginia Ginny; Cynthia Cindy; Sandra Sandy; Pamela Pam; Judith Judy; Theresa Terry Tess; Teresa Terry Tess; Melissa
Missy Mel; Amanda Mandy; Alexandra Alex Lexi; Abigail Abby; Madison Maddie; Isabella Bella Izzy; Olivia Liv Livvy;
Emily Em Emmy; Josephine Jo Josie; Frances Fran Frannie; Eleanor Ellie Nell; Lillian Lily Lil; Kimberly Kim; Angela
Angie; Nancy Nan; Carolyn Carrie; Caroline Carrie; Danielle Dani; Gabrielle Gabby; Allison Allie; Natalie Nat;
Nicole Nikki; Michelle Shelly; Mary Molly Polly; Martha Marty Patsy; Ann Annie Nan; Anna Annie; Sarah Sally Sadie;
Helen Nell Nellie; Brittany Britt; Vanessa Nessa; Cassandra Cassie; Charlotte Charlie Lottie; Amelia Millie Amy;
Suzanne Sue; Jean Jeannie; Gloria Glo; Sharon Shari; Shirley Shirl
"""
NICKNAMES = {words[0]: tuple(words[1:]) for words in map(str.split, _NICKNAMES.replace("\n", " ").split(";"))}

KEYBOARD = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        _words("sqz vn xv sf wr dg fh gj uo hk jl ko nj bm ip ol wa et ad ry yi cb qe zc tu xa"),
        strict=True,
    )
)
"""Letter → its neighbours on the keys."""

MISREAD = (
    ("m", "rn"), ("rn", "m"), ("l", "i"), ("i", "l"), ("cl", "d"), ("d", "cl"), ("h", "b"), ("e", "c"), ("c", "e"),
    ("u", "v"), ("v", "u"), ("w", "vv"), ("n", "u"), ("u", "n"), ("a", "o"), ("o", "a"), ("t", "f"), ("g", "q"),
)  # fmt: skip
"""(as written by hand, as read by a machine)."""
MISREAD_DIGITS = {"0": "8", "1": "7", "2": "7", "3": "8", "4": "9", "5": "6", "6": "5", "7": "1", "8": "3", "9": "4"}

MISHEARD = (
    ("ph", "f"), ("f", "ph"), ("ck", "k"), ("c", "k"), ("k", "c"), ("sch", "sh"), ("ee", "ea"), ("ea", "ee"),
    ("ie", "y"), ("y", "ie"), ("ll", "l"), ("tt", "t"), ("nn", "n"), ("ss", "s"), ("son", "sen"), ("sen", "son"),
    ("z", "s"), ("ei", "ie"), ("er", "ar"), ("ar", "er"), ("gh", ""), ("th", "t"), ("x", "ks"), ("qu", "kw"),
    ("ai", "ay"), ("m", "n"), ("b", "p"), ("d", "t"), ("i", "e"), ("e", "i"), ("o", "au"), ("v", "w"),
)  # fmt: skip
"""(as said, as written by who heard it)."""

MAIL_DOMAINS = (*names.MAIL_DOMAINS, *_words("web.example fastmail.example home.example cable.example net.example"))
FAMILY_MAIL = ("the{0}s", "{0}family", "family.{0}", "{0}.home", "{0}clan", "{0}s.at.home")
HOBBIES = _words(
    "runner gardener chess sailing guitar baker hiker photo fishing reader tennis cyclist piano knitting painter "
    "surf skater climber golfer drums yoga birder cook movie vinyl pilot ninja dragon sunny lucky happy star moon "
    "tiger wolf"
)

STATES = _words("OH PA IN MI KY WV IL NY VA TN")

NAME_PLACEHOLDERS = ("unknown", "Unknown", "n/a", "test", "-", "Customer", "none")
BIRTH_PLACEHOLDERS = ("1900-01-01", "1900-01-01", "1970-01-01", "2000-01-01")
EMAIL_PLACEHOLDERS = ("test@test.com", "noemail@noemail.com", "none@none.com", "na@na.com")
PHONE_PLACEHOLDERS = ("0000000000", "000-000-0000", "9999999999", "1234567890")
CALL_CENTRE_PHONE = "+18005550100"
STORE_EMAILS = tuple(f"store{n:02d}@retailer.example" for n in range(1, 7))
