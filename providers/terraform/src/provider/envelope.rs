//! What the record keeps as a provider's private data: its own bytes, and the resource's identity where the
//! provider tells one.
//!
//! Most tell none, and then the bytes stand alone, as in Terraform's state. Otherwise they stand in a message
//! after a mark. An identity that another version of the provider wrote is left out: each reading tells it anew.

use formwork_contract::Str;
use formwork_contract::provider::Private;
use prost::Message;
use prost::bytes::Bytes;

use crate::proto::{DynamicValue, ResourceIdentityData};

/// No provider's bytes begin so: they are JSON or MessagePack.
const MARK: &[u8] = b"\0formwork private 1\0";

#[derive(Clone, PartialEq, ::prost::Message)]
struct Envelope {
    #[prost(bytes = "bytes", tag = "1")]
    private: Bytes,
    #[prost(message, optional, tag = "2")]
    identity: Option<DynamicValue>,
    /// The provider's version that told the identity.
    #[prost(string, tag = "3")]
    version: String,
}

/// What is given to a provider of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Own {
    pub(crate) private: Bytes,
    pub(crate) identity: Option<ResourceIdentityData>,
}

/// Puts both together.
pub(crate) fn seal(own: Own, version: Option<&Str>) -> Private {
    match own.identity.and_then(|identity| identity.identity_data) {
        None => Private(own.private.as_ref().into()),
        Some(identity) => {
            let version = version.map(ToString::to_string).unwrap_or_default();
            let envelope = Envelope { private: own.private, identity: Some(identity), version };
            let mut bytes = MARK.to_vec();
            bytes.extend(envelope.encode_to_vec());
            Private(bytes.into())
        }
    }
}

/// Takes both apart.
pub(crate) fn open(private: &Private, version: Option<&Str>) -> Own {
    let Some(envelope) = envelope(&private.0) else {
        return Own { private: Bytes::copy_from_slice(&private.0), identity: None };
    };
    let same = version.is_some_and(|version| **version == *envelope.version);
    let identity = envelope.identity.filter(|_| same);
    Own { private: envelope.private, identity: identity.map(|data| ResourceIdentityData { identity_data: Some(data) }) }
}

/// The provider's own bytes alone, as Terraform's state keeps them.
pub fn private_bytes(private: &[u8]) -> Vec<u8> {
    envelope(private).map_or_else(|| private.to_vec(), |envelope| envelope.private.to_vec())
}

fn envelope(bytes: &[u8]) -> Option<Envelope> {
    Envelope::decode(bytes.strip_prefix(MARK)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identified() -> Own {
        let data = DynamicValue { msgpack: Bytes::from_static(b"\x81\xa2id\xa1x"), json: Bytes::new() };
        Own { private: Bytes::from_static(b"{}"), identity: Some(ResourceIdentityData { identity_data: Some(data) }) }
    }

    #[test]
    fn bytes_without_an_identity_stand_alone() {
        let own = Own { private: Bytes::from_static(b"{\"schema_version\":\"1\"}"), identity: None };
        let sealed = seal(own.clone(), Some(&"1.0.0".into()));
        assert_eq!(*sealed.0, *own.private);
        assert_eq!(open(&sealed, Some(&"1.0.0".into())), own);
    }

    #[test]
    fn an_identity_comes_back_to_the_version_that_told_it() {
        let sealed = seal(identified(), Some(&"1.0.0".into()));
        assert_eq!(open(&sealed, Some(&"1.0.0".into())), identified());
        assert_eq!(open(&sealed, Some(&"2.0.0".into())), Own { identity: None, ..identified() });
        assert_eq!(private_bytes(&sealed.0), b"{}");
    }

    #[test]
    fn bytes_of_any_kind_are_taken_as_they_are() {
        for bytes in [&b""[..], b"\0", MARK, &[MARK, &b"\xff\xff"[..]].concat()] {
            let own = open(&Private(bytes.into()), None);
            assert!(own.identity.is_none());
            if !bytes.starts_with(MARK) {
                assert_eq!(&own.private[..], bytes);
            }
        }
    }
}
