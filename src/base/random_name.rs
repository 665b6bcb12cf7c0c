//! Names for containers that are given none: an adjective and a surname, as Docker's users expect.

use super::Name;
use crate::error::Result;

const ADJECTIVES: [&str; 48] = [
    "able", "amber", "awake", "blithe", "bold", "brave", "bright", "brisk", "calm", "candid",
    "clear", "clever", "cosy", "daring", "deft", "eager", "early", "fair", "fond", "frank",
    "gentle", "glad", "golden", "hardy", "honest", "humble", "jolly", "keen", "kind", "lively",
    "lucid", "merry", "mild", "nimble", "noble", "patient", "plucky", "proud", "quiet", "ready",
    "serene", "sharp", "steady", "sunny", "tidy", "tranquil", "vivid", "witty",
];

/// Shipwrights, navigators, oceanographers and their like.
const SURNAMES: [&str; 48] = [
    "amundsen",
    "baret",
    "beaufort",
    "bering",
    "bishop",
    "bligh",
    "bowditch",
    "brunel",
    "cabot",
    "carson",
    "cook",
    "cousteau",
    "dampier",
    "davis",
    "drake",
    "earle",
    "ekman",
    "erikson",
    "fitzroy",
    "flinders",
    "forbes",
    "franklin",
    "gama",
    "halley",
    "harrison",
    "heyerdahl",
    "hudson",
    "humboldt",
    "magellan",
    "marsili",
    "maury",
    "mercator",
    "nansen",
    "noonuccal",
    "piccard",
    "polo",
    "ross",
    "sabine",
    "scoresby",
    "shackleton",
    "slocum",
    "sverdrup",
    "tasman",
    "tharp",
    "thomson",
    "vespucci",
    "weddell",
    "zheng",
];

/// A name from random bytes; later attempts carry a number.
pub fn random_name(random: [u8; 8], attempt: u32) -> Result<Name> {
    let [a, b, c, d, ..] = random;
    let pick = |list: &'static [&'static str], low: u8, high: u8| {
        list[usize::from(u16::from_le_bytes([low, high])) % list.len()]
    };
    let (first, second) = (pick(&ADJECTIVES, a, b), pick(&SURNAMES, c, d));
    let digits = if attempt < 3 {
        String::new()
    } else {
        (u32::from(random[4]) + attempt).to_string()
    };
    format!("{first}_{second}{digits}").parse()
}
