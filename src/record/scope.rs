//! What a lease covers, and what two leases may not both cover.
//!
//! An object or an output is for one holder. What a run only reads may be held by many, while nobody may
//! change it: otherwise one run could delete what another builds on.

use std::collections::{BTreeSet, HashMap};

use formwork_contract::{Address, Mode, Str};
use rusqlite::{Connection, params};

use super::error::RecordError;

const WRITE: &str = "write";
const READ: &str = "read";
const OUTPUT: &str = "output";

/// What a lease covers.
#[derive(Clone, Debug, PartialEq)]
pub enum LeaseScope {
    Whole,
    Parts(LeasedParts),
}

/// Parts of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeasedParts {
    /// Objects that only the holder may change.
    pub written: BTreeSet<Address>,
    /// What nobody may change meanwhile, though many may hold it: addresses with or without an instance key, and
    /// module paths.
    pub read: BTreeSet<Str>,
    /// Outputs that only the holder may change.
    pub outputs: BTreeSet<Str>,
}

impl LeaseScope {
    /// For changing these objects.
    pub fn of(addresses: impl IntoIterator<Item = Address>) -> Self {
        Self::Parts(LeasedParts { written: addresses.into_iter().collect(), ..LeasedParts::default() })
    }

    /// Whether the holder may change the object. Data sources belong to nobody.
    pub fn covers(&self, address: &Address) -> bool {
        match self {
            Self::Whole => true,
            Self::Parts(parts) => address.mode == Mode::Data || parts.written.contains(address),
        }
    }

    /// Whether the holder may change the output.
    pub fn covers_output(&self, name: &str) -> bool {
        match self {
            Self::Whole => true,
            Self::Parts(parts) => parts.outputs.contains(name),
        }
    }

    /// Writes the parts down.
    pub(super) fn save(&self, connection: &Connection, token: i64) -> Result<(), RecordError> {
        let Self::Parts(parts) = self else { return Ok(()) };
        let mut insert = connection.prepare_cached("INSERT INTO leased (token, kind, name) VALUES (?1, ?2, ?3)")?;
        for address in &parts.written {
            insert.execute(params![token, WRITE, address.to_string()])?;
        }
        for (kind, names) in [(READ, &parts.read), (OUTPUT, &parts.outputs)] {
            for name in names {
                insert.execute(params![token, kind, &**name])?;
            }
        }
        Ok(())
    }
}

/// What a run asks for, laid out to be compared with what others hold.
pub(super) struct Wanted<'a> {
    /// `None` for the whole record.
    parts: Option<&'a LeasedParts>,
    /// The objects to be written, by each name that they have.
    written: HashMap<String, &'a Address>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(scope: &'a LeaseScope) -> Self {
        let parts = match scope {
            LeaseScope::Whole => None,
            LeaseScope::Parts(parts) => Some(parts),
        };
        let addresses = parts.into_iter().flat_map(|parts| &parts.written);
        let named = addresses.flat_map(|address| address.names().into_iter().map(move |name| (name, address)));
        Self { parts, written: named.collect() }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.parts.is_none()
    }

    /// What is wanted and another lease covers, as people call it, in order; `None` where both can live side by side.
    pub(super) fn held_by(&self, connection: &Connection, token: i64) -> Result<Option<Vec<Str>>, RecordError> {
        let Some(parts) = self.parts else { return Ok(Some(Vec::new())) };
        let mut held: BTreeSet<Str> = BTreeSet::new();
        let mut statement = connection.prepare_cached("SELECT kind, name FROM leased WHERE token = ?1")?;
        let mut rows = statement.query([token])?;
        while let Some(row) = rows.next()? {
            let (kind, name) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
            match kind {
                WRITE => {
                    let address: Address = name.parse().map_err(RecordError::corrupt)?;
                    let is_read = || address.names().iter().any(|name| parts.read.contains(name.as_str()));
                    if parts.written.contains(&address) || is_read() {
                        held.insert(name.into());
                    }
                }
                READ => held.extend(self.written.get(name).map(|address| Str::from(address.to_string()))),
                OUTPUT if parts.outputs.contains(name) => {
                    held.insert(format!("output.{name}").into());
                }
                _ => {}
            }
        }
        Ok((!held.is_empty()).then(|| held.into_iter().collect()))
    }
}
