//! `random_string` and `random_password`: random characters, for a name or for a secret.

use formwork_contract::{Attribute, Block, Type, Value};
use zeroize::Zeroizing;

use crate::attributes::{check_range, count, flag, int, is_unknown, keepers, text};
use crate::draw::{self, Draw};
use crate::fault::{Fault, fault, wrong};
use crate::life::{Kind, block, computed};

/// What `special` brings, unless `override_special` says otherwise.
const SPECIAL: &str = "!@#$%&*()-_=+[]{}<>:?";

/// Each kind of characters: the attribute that allows it, the one that says how many there are at least.
const KINDS: [(&str, &str, &str); 4] = [
    ("lower", "min_lower", "abcdefghijklmnopqrstuvwxyz"),
    ("upper", "min_upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("numeric", "min_numeric", "0123456789"),
    ("special", "min_special", SPECIAL),
];

/// How much work one guess of a password is, as a power of two. Bcrypt's usual cost.
const BCRYPT_COST: u32 = 10;

/// Bcrypt looks at no more bytes than these.
const BCRYPT_BYTES: usize = 72;

pub(super) struct Text {
    name: &'static str,
    secret: bool,
}

impl Text {
    pub(super) const STRING: Self = Self { name: "random_string", secret: false };
    pub(super) const PASSWORD: Self = Self { name: "random_password", secret: true };
}

impl Kind for Text {
    fn name(&self) -> &'static str {
        self.name
    }

    fn block(&self) -> Block {
        let defaulted = |ty: Type, what: &str| Attribute::defaulted(ty).forces_replacement().describe(what);
        let least = |what: &str| defaulted(Type::Number, &format!("At least so many {what}; 0 by default."));
        let result = defaulted(Type::String, "The characters. Set it to bring your own.");
        let mut block = block(
            "Random characters.",
            [
                (
                    "length",
                    Attribute::required(Type::Number).forces_replacement().describe("How many characters there are."),
                ),
                ("lower", defaulted(Type::Bool, "Whether there may be lower-case letters; true by default.")),
                ("upper", defaulted(Type::Bool, "Whether there may be upper-case letters; true by default.")),
                ("numeric", defaulted(Type::Bool, "Whether there may be digits; true by default.")),
                ("special", defaulted(Type::Bool, "Whether there may be special characters; true by default.")),
                ("min_lower", least("lower-case letters")),
                ("min_upper", least("upper-case letters")),
                ("min_numeric", least("digits")),
                ("min_special", least("special characters")),
                (
                    "override_special",
                    Attribute::optional(Type::String)
                        .forces_replacement()
                        .describe("The special characters that there may be, instead of the usual ones."),
                ),
                ("keepers", keepers()),
                ("result", if self.secret { result.sensitive() } else { result }),
            ],
        );
        let (name, attribute) = match self.secret {
            true => ("bcrypt_hash", computed("A bcrypt hash of `result`, as `htpasswd` makes them.").sensitive()),
            false => ("id", computed("The same as `result`.")),
        };
        block.attributes.insert(name.into(), attribute);
        if self.secret {
            block.description = "Random characters that are secret.".into();
            block.attributes.insert("id".into(), computed("Always `none`: a password is nobody's id."));
        }
        block
    }

    fn defaults(&self) -> Vec<(&'static str, Value)> {
        KINDS.iter().flat_map(|(kind, least, _)| [(*kind, true.into()), (*least, 0.into())]).collect()
    }

    fn check(&self, config: &Value) -> Vec<Fault> {
        let mut found: Vec<Fault> = check_range(config, "length", 1, 1 << 20).into_iter().collect();
        let allowed = |kind: &str| config.get(kind).and_then(Value::as_bool).unwrap_or(true);
        for (kind, least, _) in KINDS {
            found.extend(check_range(config, least, 0, 1 << 20));
            if !is_unknown(config, kind) && !allowed(kind) && int(config, least).unwrap_or_default() > 0 {
                found.push(wrong(least, format!("`{least}` asks for characters that `{kind}` forbids")));
            }
        }
        let unknown = KINDS.iter().any(|(kind, least, _)| is_unknown(config, kind) || is_unknown(config, least));
        if !unknown && !KINDS.iter().any(|(kind, ..)| allowed(kind)) {
            found.push(
                wrong("length", "no kind of characters is allowed")
                    .hint("allow `lower`, `upper`, `numeric` or `special`"),
            );
        }
        let sum: i64 = KINDS.iter().filter_map(|(_, least, _)| int(config, least)).sum();
        if let Some(length) = int(config, "length")
            && sum > length
        {
            found.push(wrong("length", format!("`length` is {length}, and the minimums add up to {sum}")));
        }
        if text(config, "override_special").is_some_and(str::is_empty) && allowed("special") {
            found.push(wrong("override_special", "`override_special` is empty, while `special` is allowed"));
        }
        found
    }

    fn make(&self, wanted: &Value, draw: &mut Draw, _now: u64) -> Result<Value, Fault> {
        let length = count(wanted, "length").unwrap_or_default();
        let result = match text(wanted, "result") {
            Some(given) => Zeroizing::new(given.to_owned()),
            None => drawn(wanted, length, draw),
        };
        if result.chars().count() != length {
            return Err(wrong("result", format!("`result` has to hold {length} characters, as `length` says")));
        }
        let made = wanted.with("result", Value::from(result.as_str()));
        if !self.secret {
            return Ok(made.with("id", Value::from(result.as_str())));
        }
        Ok(made.with("id", "none".into()).with("bcrypt_hash", hashed(&result, draw)?.into()))
    }

    fn import(&self, id: &str) -> Result<Value, Fault> {
        if self.secret {
            return Err(fault("a `random_password` is not imported by an id")
                .detail("The id would be the password itself, and plans and messages show ids.")
                .hint("set `result` to a sensitive variable instead"));
        }
        if id.is_empty() {
            return Err(fault("an empty text cannot be imported as `random_string`"));
        }
        let value = self.block().empty_value().with("length", Value::from(id.chars().count() as i64));
        self.make(&value.with("result", id.into()), &mut draw::seeded(""), 0)
    }

    fn is_ephemeral_too(&self) -> bool {
        self.secret
    }

    fn recorded_only(&self) -> &'static [&'static str] {
        &["id", "keepers"]
    }
}

/// The minimum of each kind, and the rest of all kinds that are allowed, in a random order.
fn drawn(wanted: &Value, length: usize, draw: &mut Draw) -> Zeroizing<String> {
    let mut all: Vec<char> = Vec::new();
    let mut characters: Zeroizing<Vec<char>> = Zeroizing::new(Vec::with_capacity(length));
    for (kind, least, usual) in KINDS {
        let own = text(wanted, "override_special").filter(|_| kind == "special");
        let set: Vec<char> = own.unwrap_or(usual).chars().collect();
        if flag(wanted, kind) {
            all.extend(&set);
        }
        for _ in 0..count(wanted, least).unwrap_or_default() {
            characters.push(*draw::choose(draw, &set));
        }
    }
    while characters.len() < length {
        characters.push(*draw::choose(draw, &all));
    }
    draw::shuffle(draw, &mut characters);
    Zeroizing::new(characters.iter().collect())
}

fn hashed(password: &str, draw: &mut Draw) -> Result<String, Fault> {
    let salt: [u8; 16] = draw::bytes(draw, 16).as_slice().try_into().expect("16 bytes were drawn");
    // A longer password is cut, as Terraform's provider does.
    let bytes = &password.as_bytes()[..password.len().min(BCRYPT_BYTES)];
    let parts = bcrypt::hash_with_salt(bytes, BCRYPT_COST, salt)
        .map_err(|_| fault("the password cannot be hashed").hint("leave out zero bytes"))?;
    Ok(parts.format_for_version(bcrypt::Version::TwoA))
}
