//! SPIFFE IDs, checked by their specification (SPIFFE-ID, sections 2.1 to 2.4).

/// Bytes, as section 2.3 bounds them.
const MOST_BYTES: usize = 2048;
const MOST_TRUST_DOMAIN_BYTES: usize = 255;

/// The trust domain of a SPIFFE ID of a workload.
///
/// # Errors
/// Says what is wrong with it. A workload's has a path (X509-SVID, section 2).
pub(super) fn trust_domain_of(id: &str) -> Result<&str, String> {
    let Some(rest) = id.strip_prefix("spiffe://") else { return Err("it has to start with `spiffe://`".into()) };
    if id.len() > MOST_BYTES {
        return Err(format!("it is {} bytes long, and may be {MOST_BYTES}", id.len()));
    }
    let Some((domain, path)) = rest.split_once('/') else {
        return Err("it has no path, and so names a trust domain and not a workload".into());
    };
    check_trust_domain(domain)?;
    for segment in path.split('/') {
        if segment.is_empty() {
            return Err("its path has an empty segment; there is none between slashes, or after the last one".into());
        }
        if segment == "." || segment == ".." {
            return Err(format!("its path has the segment `{segment}`, which is relative"));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if let Some(other) = segment.chars().find(|c| !allowed(*c)) {
            return Err(format!("its path has `{other}`; it may have letters, digits, `-`, `.` and `_`"));
        }
    }
    Ok(domain)
}

/// # Errors
/// Says what is wrong with it.
pub(super) fn check_trust_domain(domain: &str) -> Result<(), String> {
    if domain.is_empty() {
        return Err("its trust domain is empty".into());
    }
    if domain.len() > MOST_TRUST_DOMAIN_BYTES {
        let length = domain.len();
        return Err(format!("its trust domain is {length} bytes long, and may be {MOST_TRUST_DOMAIN_BYTES}"));
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
    match domain.chars().find(|c| !allowed(*c)) {
        Some(other) => Err(format!(
            "its trust domain has `{other}`; it may have lower-case letters, digits, `-`, `.` and `_`, and neither a \
             user nor a port"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_specification_allows_is_taken() {
        for (id, domain) in [
            ("spiffe://factory.example/registry", "factory.example"),
            ("spiffe://9eebccd2-12bf-40a6-b262-65fe0487d453/a/B.c_d-e/...", "9eebccd2-12bf-40a6-b262-65fe0487d453"),
            ("spiffe://a_b/ns/default/sa/web", "a_b"),
        ] {
            assert_eq!(trust_domain_of(id), Ok(domain));
        }
        let longest = format!("spiffe://{}/{}", "d".repeat(255), "p".repeat(2048 - 9 - 255 - 1));
        assert!(trust_domain_of(&longest).is_ok());
        assert!(trust_domain_of(&format!("{longest}p")).is_err());
    }

    #[test]
    fn what_it_forbids_is_refused() {
        for id in [
            "",
            "https://factory.example/a",
            "SPIFFE://factory.example/a",
            "spiffe://factory.example",
            "spiffe://factory.example/",
            "spiffe:///a",
            "spiffe://Factory.example/a",
            "spiffe://user@factory.example/a",
            "spiffe://factory.example:443/a",
            "spiffe://factory.example/a//b",
            "spiffe://factory.example/a/",
            "spiffe://factory.example/a/../b",
            "spiffe://factory.example/./b",
            "spiffe://factory.example/a%20b",
            "spiffe://factory.example/a?b=c",
            "spiffe://factory.example/a#b",
            "spiffe://fäctory.example/a",
        ] {
            assert!(trust_domain_of(id).is_err(), "{id}");
        }
        assert!(check_trust_domain(&"d".repeat(256)).is_err());
    }
}
