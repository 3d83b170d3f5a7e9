"""caption_words.py — the words that photo captions are made of, for caption_questions.py.

Plain lists, one class of words each, in the singular or the infinitive; forms are made by rule.
They were picked by reading the 1,500 most frequent words of the Flickr8k training captions."""


def _words(text):
    return text.split()


def _groups(text):
    """Sets of words, an empty line between them."""
    return [set(group.split()) for group in text.strip().split("\n\n")]


def _table(text):
    """{key: set of words} of lines "key: words"; an indented line goes on with the one before."""
    rows = [row.partition(":") for row in text.strip().replace("\n    ", " ").split("\n")]
    return {key: set(words.split()) for key, _, words in rows}


# ---- word forms

IRREGULAR_PLURALS = {
    "man": "men", "woman": "women", "child": "children", "person": "people", "lady": "ladies",
    "gentleman": "gentlemen", "policeman": "policemen", "fireman": "firemen",
    "snowman": "snowmen", "foot": "feet", "goose": "geese", "sheep": "sheep", "fish": "fish",
    "leaf": "leaves", "calf": "calves", "bus": "buses", "wolf": "wolves", "mouse": "mice",
}  # fmt: skip


def plural(noun):
    if noun in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[noun]
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    return noun + "s"


DOUBLED = set(_words("""
    run sit swim get hit jog dig hug skip trot stop spin dip cut chat tug wag
"""))


def third_person(verb):
    if verb.endswith(("ss", "x", "ch", "sh", "o")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


def progressive(verb):
    if verb in DOUBLED:
        return verb + verb[-1] + "ing"
    if verb == "lie":
        return "lying"
    if verb.endswith("e") and not verb.endswith("ee"):
        return verb[:-1] + "ing"
    return verb + "ing"


# ---- who

# Each person word: (sex, age); None where the word does not say.
PERSONS = {
    **{w: ("m", "adult") for w in _words(
        "man guy gentleman father dad groom cowboy husband policeman fireman businessman "
        "fisherman")},
    **{w: ("f", "adult") for w in _words(
        "woman lady mother mom bride wife grandmother ballerina businesswoman")},
    **{w: ("m", "child") for w in _words("boy son schoolboy")},
    **{w: ("f", "child") for w in _words("girl daughter schoolgirl")},
    **{w: (None, "child") for w in _words("child kid toddler baby infant youngster")},
    **{w: ("m", None) for w in _words("male brother boyfriend")},
    **{w: ("f", None) for w in _words("female sister girlfriend cheerleader")},
    **{w: (None, "adult") for w in _words("adult")},
    **{w: (None, None) for w in _words(
        "person teenager teen someone somebody individual player rider biker bicyclist cyclist "
        "skateboarder snowboarder surfer skier climber hiker runner swimmer diver racer driver skater "
        "motorcyclist wrestler boxer dancer performer musician guitarist singer photographer "
        "worker officer soldier athlete goalie catcher pitcher batter quarterback referee "
        "coach kayaker rower sledder jogger acrobat clown friend owner vendor spectator "
        "onlooker bystander pedestrian passenger tourist student teammate opponent rollerblader "
        "jockey artist customer shopper hockey-player ballplayer bowler gymnast lifeguard "
        "rafter wakeboarder kiteboarder parasailer trainer chef waiter waitress nun monk "
        "hunter camper wearer bmxer figure member servicewoman wakeboarder waterskier karate-ka")},
}  # fmt: skip

# Words for more than one person that do not say how many.
CROWDS = set(_words("""
    people couple group crowd team family band audience others friends class party folks bunch
    everyone gang crew couples staff public army military troop procession fans youths adults
    parents  children kids spectators onlookers police bystanders humans teammates opponents
"""))

# Hints of a person where none is named: such a caption cannot prove that nobody is there.
PERSON_HINTS = set(_words("""
    his her their he she they him them himself herself hand hands arm arms leg legs foot feet
    wearing wears shirt pants jeans hat helmet backpack nobody silhouette silhouettes  who
    body human homeless asian american african indian elderly skateboarding surfing skiing
    snowboarding bicycling biking climbing rafting kayaking holding
"""))

ANIMALS = _words("""
    dog cat horse bird cow sheep goat duck camel elephant monkey pigeon seagull swan goose
    bull pig chicken rabbit squirrel deer fish donkey bear tiger
""")

# Breeds and young, counted as the animal they are.
ANIMAL_NAMES = {
    **{w: "dog" for w in _words(
        "puppy pup greyhound poodle collie retriever terrier doberman labrador lab pitbull "
        "bulldog dalmatian beagle husky dachshund hound corgi rottweiler pug sheepdog spaniel "
        "chihuahua schnauzer mutt canine pooch dane setter pointer whippet weimaraner")},
    "kitten": "cat", "pony": "horse", "calf": "cow", "lamb": "sheep", "seabird": "bird",
    "dalmation": "dog", "stallion": "horse", "foal": "horse",
}  # fmt: skip
# "boxer" is a dog as often as a fighter, "animal" may be any of them.
ANIMAL_HINTS = set(_words("""
    animal animals shepherd shepherds boxer pet pets tail paws paw fur furry muzzle  muzzled
    leash collar bark barking pack herd flock
"""))

# ---- things

CLOTHES = _words("""
    shirt jacket hat coat dress helmet shorts pants suit uniform jeans cap glasses sunglasses
    sweater vest jersey costume outfit skirt scarf wetsuit swimsuit bikini sweatshirt boots
    shoes gloves goggles mask apron robe hoodie swimtrunks trunks backpack headband bandanna
    tie collar harness top life-jacket snowsuit jumpsuit tutu tuxedo kimono overalls
""")

THINGS = _words("""
    ball frisbee stick toy rope bike skateboard surfboard snowboard scooter motorcycle car
    truck bus train boat canoe kayak raft sled bench chair table couch bed guitar book
    umbrella balloon flag kite sign camera phone cellphone bag bottle cup fence wall building
    bridge tree rock swing slide trampoline ramp rail fountain tent bat racket hoop bucket
    cart wheelchair stroller tractor tire wagon pole ladder violin drum microphone newspaper
    cigarette cake bone puddle sprinkler hurdle log tube disc basket box blanket pillow
    computer laptop net goal flower sword gun hammock ski paddle oar statue sculpture
    snowball bubble hose shovel van jeep helicopter airplane plane house door window  stairs
    steps railing staircase ledge carriage unicycle tricycle atv stool sofa  parachute
    instrument trumpet piano candle tunnel shelf plant leash glove rug carpet  vehicle object
    item sheet towel hula-hoop jump-rope trolley purse suitcase mat  playhouse cabin tower
    beam pipe gate counter stage podium platform
""")

# Two names of one thing: the first is the one that questions use.
SAME_THING = {
    "bicycle": "bike", "motorbike": "motorcycle", "dirtbike": "motorcycle", "couch": "couch",
    "sofa": "couch", "racquet": "racket", "cellphone": "phone", "airplane": "plane",
    "raquet": "racket", "automobile": "car", "tee-shirt": "shirt", "t-shirt": "shirt",
    "tshirt": "shirt", "tennis-ball": "ball", "soccer-ball": "ball", "disc": "frisbee",
    "sidewalk": "sidewalk", "seashore": "beach", "shore": "beach", "sea": "ocean",
    "woods": "forest", "trousers": "pants", "basketball-ball": "ball", "bmx": "bike",
    "boulder": "rock", "balls": "ball", "stairs": "stairs", "steps": "stairs", "staircase": "stairs",
    "roadway": "road", "meadow": "field", "lawn": "grass", "wood": "forest", "ski": "skis",
    "hula-hoop": "hoop", "shelf": "shelf", "ship": "boat", "sailboat": "boat",
}  # fmt: skip

# Words of form plural that name one thing.
PAIRED = set(_words("""
    shorts pants jeans glasses sunglasses stairs steps trunks swimtrunks overalls goggles
    boots shoes gloves skis headphones clothes
"""))

# Words that would be contradicted or implied by one another: asking whether there is a boat in a
# picture with a canoe has no clean answer. Every member excludes every other of its line.
KIN = _groups("""
boat canoe kayak raft ship sailboat dinghy rowboat vessel rowing rafting kayaking sailing
paddle paddling oar surfboard wakeboard tube jetski ski

car truck van jeep vehicle vehicles bus taxi racecar driving cab automobile traffic racing
race parked parking suv street road city wheeler driver drives drive

motorcycle motorbike dirtbike bike bicycle atv scooter motocross bmx biker bikers
motorcyclist motorcyclists cyclist cyclists bicyclist bicyclists rider riders cycling biking
riding rides unicycle tricycle racer racers racing race vehicle wheelie helmet wheeler

horse horses pony rodeo bull bulls carriage jockey jockeys cowboy cowboys rider riders
riding rides racing donkey camel animal animals

ball balls basketball football soccer baseball tennis volleyball softball golf rugby cricket
game court goalie kick kicks kicking match pitch playing plays sport team teams player
players dribbles dribbling pitcher bat bowling toy object catch fetch throws throwing throw
hockey puck batter snowball lacrosse polo hitting kickball

frisbee frisbees disc disk toy object catch fetch thrown throwing throws plate flying

stick sticks branch log toy object hockey pole wood twig bat bone fetch bamboo rod club
wooden

skateboard skateboards skateboarder skateboarders skateboarding skater skating skate
skateboarded ramp trick tricks stunt board boarder skates scooter rollerblades rail

surfboard surfer surfers surfing surf surfs wave waves board boarder windsurfing
wakeboarding wakeboard bodyboard boogie kneeboard

snowboard snowboarder snowboarders snowboarding board boarder snow ski skis sled

guitar guitars guitarist band instrument instruments musician musicians music concert
performs performing playing stage banjo bass violin

umbrella umbrellas parasol rain canopy tent

cat cats kitten kittens animal animals tiger

dog dogs animal animals pet pets puppy puppies leash collar

bird birds duck ducks pigeon pigeons seagull seagulls swan goose geese flock chicken animal
animals peacock parrot flamingo crane hawk eagle owl penguin ostrich wings

bench benches seat seats sitting sits seated sit park chair chairs

couch sofa bed chair furniture bedroom sitting livingroom pillow room

swing swings swinging swung playground hammock rope tire

slide slides sliding playground waterslide

trampoline bouncing bounce bounces gymnastics

train trains subway railroad tracks station rail locomotive

tent tents camping camp campsite umbrella canopy

baby infant toddler child stroller kid newborn

balloon balloons bubble bubbles party birthday ball

flag flags parade banner banners

book books reading reads newspaper magazine read paper

elephant

cow cows bull cattle calf animal animals

sheep goat animal animals herd lamb

snow snowy ice icy ski skis skier skiers skiing snowboard snowboarder snowboarders sled
sledding winter mountain mountains frozen slope snowball snowsuit snowmobile cold hockey
skating rink alpine glacier hill

beach sand sandy ocean water shore sea wave waves surf surfer surfing coast lake dune dunes
desert shoreline surfboard tide seashore pier volleyball river rocks

pool water swim swims swimming swimmer swimmers splash splashing splashes dive dives diving
diver goggles underwater waterslide wet swimsuit bikini trunks fountain
""")

# ---- where

# A place and the places that may be named for the same picture without contradiction.
PLACES = _table("""
beach: sand ocean water shore wave sea coast surf boat rock pier tide waters
snow: hill mountain slope field ground yard forest ice mountainside tree snowbank road path
    park sidewalk winter
water: pool lake ocean river pond wave puddle stream sea beach boat waters surf creek
    fountain rapids rock shore waterfall sand mud
pool: water waters slide backyard yard
ocean: water beach wave sea boat sand surf shore waters rock coast sunset
lake: water boat shore dock beach rock waters pier mountain edge pond
river: water boat rapids rock stream waters raft canoe kayak creek forest shore
grass: field park yard lawn hill ground garden backyard pasture meadow tree fence plain dirt
field: grass park yard lawn hill ground meadow pasture farm dirt stadium fence game track
    hay flower plain
park: grass tree bench field playground path ground sidewalk fountain yard skatepark ramp
yard: grass lawn fence backyard ground garden house snow tree
street: road sidewalk city crosswalk crowd building pavement car corner parade town traffic
    market intersection curb shop store wall
road: street dirt car path track pavement highway track field gravel hill mountain
sidewalk: street city building road bench pavement wall shop store curb fence
city: street sidewalk building road town
forest: tree path trail dirt stream leaf ground log road mud river bush hill
sand: beach ocean water dune desert shore hill
couch: room house pillow blanket livingroom
bed: room bedroom blanket pillow
bench: park street sidewalk wall
mountain: rock hill snow cliff peak sky trail edge path valley ledge mountaintop slope road
rock: mountain cliff water ocean river wall beach ledge hill edge lake stream climbing
swing: playground park yard tire tree
ramp: park skatepark wall rail street
boat: water lake river ocean dock
playground: park slide swing yard sand equipment bars
kitchen: table counter room
restaurant: table bar
stage: band concert crowd
gym: court floor
desert: sand dune
mud: dirt water puddle field ground hill
""")
# Ground that is in every outdoor picture contradicts nothing.
EVERYWHERE = set(_words("""
    air ground background area outside outdoors front side camera scene top middle sky edge
    day  distance foreground crowd picture
"""))
# All words that name a surrounding: two unrelated ones contradict each other.
SURROUNDINGS = set(PLACES) | {w for kin in PLACES.values() for w in kin} - set(
    _words(
        "wave boat game car bench flower crowd tree leaf log fence wall raft canoe kayak hay blanket pillow table band "
        "equipment slide parade bars floor climbing bush puddle rail corner sunset tire winter building bush"
    )
)

# ---- colours and numbers

COLOURS = _words("black white brown red blue green yellow orange pink purple grey tan")
SAME_COLOUR = {"gray": "grey", "blonde": "blond"}
# Colours that two people would name for the same thing: one is no contradiction of the other,
# and cannot be used to make a false statement of it either.
NEAR_COLOURS = _groups("""
brown tan orange golden yellow beige gold red blond cream

red pink orange maroon

blue purple green turquoise teal

grey black silver brown dark

grey white silver

pink purple

white tan beige cream blond yellow

yellow green orange gold blond
""")
NOT_COLOURED = set(_words("""
    photo photograph picture image water hair man woman boy girl person child skin people wine
    light sky day
"""))

NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
COUNTED = {"a": 1, "an": 1, "one": 1, "another": 1, "lone": 1, "single": 1, **NUMBERS}

# ---- what they do

VERBS = _words("""
    run jump walk sit stand swim climb ride play leap chase race slide swing dance sleep lie
    lay eat  drink read smile laugh dive surf ski skate skateboard snowboard fly fall fight
    wrestle dig splash  crawl kneel crouch hike paddle row jog kick throw catch hit pull push
    carry hold wear watch look  pose perform do talk sing smoke fish cook paint hug kiss bite
    chew lick shake roll  sled skip bounce float wade dribble tackle bowl juggle lean rest
    relax wait stare point  wave drive sniff bark fetch retrieve tug spin flip balance
    rollerblade kayak raft wakeboard cross  sail bathe wash speak write draw cut blow shop
    work march hang trot grind stretch yawn clap  cheer celebrate practice train box crouch
    gather approach enter leave pet feed reach  try attempt prepare get go make take have be
    use put grab toss shoot swim biking
""")
# Said of somebody besides what they do, or no action at all.
NO_ACTION = set(_words("""
    wear hold be have get go make take use put try attempt prepare do look watch gather
    approach  lay perform enter leave work train cross biking hang train box reach pose
"""))
TRANSITIVE = {
    "ride",
    "carry",
    "throw",
    "catch",
    "pull",
    "push",
    "kick",
    "chase",
    "hold",
    "hit",
    "chew",
    "eat",
    "drink",
    "read",
    "bite",
    "fetch",
    "retrieve",
    "drive",
    "climb",
    "paint",
}
GAMES = _words("""
    soccer football basketball baseball tennis volleyball hockey frisbee guitar rugby softball
    cricket  golf violin lacrosse badminton drums piano fetch polo poker chess
""")

# Verbs of which only one can be true of somebody at a time: each line is one of them, and the
# lines it does not exclude.
POSTURES = _table("""
run: jump race chase play leap trot walk jog fetch catch hit kick tackle throw retrieve fall
    splash dribble wade
walk: run hike stand trot jog cross lead march wade follow pose talk carry push pull wait
    splash
sit: lie lay rest relax crouch kneel swing ride slide sled wait eat read drink smoke talk
    look watch squat play lean drive fish paddle row float
stand: wait pose look watch walk lean talk balance hold smile point perform play stare sing
    speak smoke cook hug kiss surf skateboard climb dance reach fish throw lift
swim: float dive splash wade play fetch bathe retrieve paddle jump fetch chase surf
sleep: lie lay rest relax sit nap lean
lie: sleep lay rest relax sit roll sunbathe play lean read look slide fall
dance: perform jump spin swing play celebrate twirl walk run leap kick hold balance pose
    stand sing skip
kneel: crouch sit squat pray bend look pet play dig pose
""")

STOP = set(_words("""
    a an the of in on at to with and or is are was be being been by for from into onto over
    through  up down off out as while it its his her their that this there near behind front
    next another  other some one two who which each under around across along between during
    about after before  has have he she they them him
"""))

# ---- presence and swaps

# What nobody would leave out of five captions when it can be seen.
SALIENT = _words("""
    dog cat horse cow sheep bird elephant man woman boy girl baby bike motorcycle car boat
    ball frisbee stick  skateboard surfboard snowboard guitar umbrella bench couch swing slide
    trampoline train tent balloon flag  book snow beach pool
""")

# Places by the preposition that fits them; those of MASS take no "a".
IN_PLACES = _words("""
    snow water grass field park yard street pool ocean lake river forest sand mud desert
    kitchen gym  restaurant playground
""")
ON_PLACES = _words("""
    beach street road sidewalk grass sand couch bed bench mountain rock ramp stage boat swing
    snow
""")
MASS = {"snow", "water", "grass", "sand", "mud"}
PREPOSITION = {**{p: "on" for p in ON_PLACES}, **{p: "in" for p in IN_PLACES}}

OPPOSITE = {
    "man": "woman",
    "woman": "man",
    "men": "women",
    "women": "men",
    "boy": "girl",
    "girl": "boy",
    "boys": "girls",
    "girls": "boys",
}
# A caption with one of these gives a swapped man or woman away.
GENDERED = set(_words("""
    his her he she him himself herself hers beard bearded shirtless topless bald balding dress
    dresses skirt skirts bikini bikinis mustache moustache mohawk ballerina bride groom lady
    ladies  guy guys male female ponytail pigtails makeup
"""))
