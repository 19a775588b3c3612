//! Words for `random_pet`: short, friendly, and easy to spell.

#[rustfmt::skip]
pub(super) const ADVERBS: [&str; 48] = [
    "boldly", "briefly", "brightly", "calmly", "clearly", "closely", "cosily", "daily", "deeply", "dearly", "eagerly",
    "easily", "evenly", "fairly", "finely", "firmly", "fondly", "freely", "freshly", "fully", "gently", "gladly",
    "gravely", "greatly", "happily", "jointly", "justly", "keenly", "kindly", "lightly", "loudly", "mainly", "merrily",
    "mildly", "neatly", "nicely", "openly", "plainly", "proudly", "purely", "quickly", "quietly", "rarely", "safely",
    "softly", "surely", "warmly", "wisely",
];

#[rustfmt::skip]
pub(super) const ADJECTIVES: [&str; 96] = [
    "able", "agile", "alert", "amber", "ample", "apt", "autumn", "azure", "bold", "brave", "brief", "bright", "brisk",
    "busy", "calm", "candid", "careful", "cheery", "civil", "clear", "clever", "copper", "cosy", "crisp", "curious",
    "daring", "deft", "distant", "eager", "early", "earnest", "easy", "even", "exact", "fair", "fast", "fine", "firm",
    "fleet", "fond", "frank", "fresh", "gentle", "glad", "golden", "grand", "green", "handy", "happy", "hardy",
    "honest", "humble", "ideal", "jolly", "just", "keen", "kind", "large", "light", "lively", "loyal", "lucid", "lucky",
    "mellow", "merry", "mild", "modest", "neat", "nimble", "noble", "open", "patient", "plain", "polite", "proper",
    "proud", "quick", "quiet", "rapid", "ready", "robust", "rosy", "sharp", "silver", "simple", "sincere", "sleek",
    "smart", "solid", "sound", "steady", "sunny", "tidy", "vivid", "warm", "wise",
];

#[rustfmt::skip]
pub(super) const ANIMALS: [&str; 96] = [
    "adder", "alpaca", "ant", "auk", "badger", "bat", "bear", "beaver", "bee", "bison", "boar", "bream", "camel", "carp",
    "cat", "cod", "colt", "coot", "crab", "crane", "crow", "cub", "deer", "dingo", "dog", "dove", "duck", "eagle", "eel",
    "egret", "elk", "falcon", "fawn", "finch", "fox", "frog", "gecko", "gnu", "goat", "goose", "gull", "hare", "hawk",
    "hen", "heron", "horse", "hound", "ibex", "ibis", "jackal", "jay", "kite", "kiwi", "koala", "lamb", "lark", "lemur",
    "lion", "llama", "lynx", "magpie", "mink", "mole", "moose", "moth", "mouse", "mule", "newt", "otter", "owl", "ox",
    "panda", "perch", "pike", "pony", "puffin", "quail", "ram", "raven", "robin", "seal", "shrew", "skunk", "snail",
    "sole", "stoat", "stork", "swan", "tapir", "tern", "toad", "trout", "viper", "vole", "wren", "yak",
];
