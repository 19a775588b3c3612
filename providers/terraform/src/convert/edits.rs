//! Messages that were damaged on their way, for tests.

use proptest::prelude::*;
use proptest::sample::Index;

/// A change of bytes that may make them mean something else, or nothing.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Truncate(Index),
    Double(Index, Index),
}

pub(super) fn edit() -> impl Strategy<Value = Edit> {
    // Bytes that open something are more telling than others.
    let byte =
        prop_oneof![any::<u8>(), 0x80_u8..0xa0, 0xc0_u8..0xe0, "[\\[\\]{}\",:0-9e-]".prop_map(|c| c.as_bytes()[0])];
    prop_oneof![
        4 => (any::<Index>(), byte.clone()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        2 => (any::<Index>(), byte).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        2 => any::<Index>().prop_map(Edit::Remove),
        1 => any::<Index>().prop_map(Edit::Truncate),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Edit::Double(from, to)),
    ]
}

pub(super) fn edited(mut bytes: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        let length = bytes.len();
        if length == 0 {
            break;
        }
        match edit {
            Edit::Set(at, byte) => bytes[at.index(length)] = *byte,
            Edit::Insert(at, byte) => bytes.insert(at.index(length), *byte),
            Edit::Remove(at) => {
                bytes.remove(at.index(length));
            }
            Edit::Truncate(at) => bytes.truncate(at.index(length)),
            Edit::Double(from, to) => {
                let (from, to) = (from.index(length), to.index(length));
                bytes.extend_from_within(from.min(to)..from.max(to));
            }
        }
    }
    bytes
}
