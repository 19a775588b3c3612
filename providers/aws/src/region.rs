//! Regions and the partitions of AWS that they are in.

use formwork_contract::Str;

/// A part of AWS that is apart from the others: its own accounts, names and endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    /// As it stands in ARNs.
    pub id: &'static str,
    pub name: &'static str,
    /// What names of hosts end with.
    pub dns_suffix: &'static str,
    /// What names of regions start with.
    prefixes: &'static [&'static str],
}

const PARTITIONS: [Partition; 7] = [
    Partition { id: "aws-us-gov", name: "AWS GovCloud (US)", dns_suffix: "amazonaws.com", prefixes: &["us-gov-"] },
    Partition { id: "aws-cn", name: "AWS China", dns_suffix: "amazonaws.com.cn", prefixes: &["cn-"] },
    Partition { id: "aws-iso-b", name: "AWS ISOB (US)", dns_suffix: "sc2s.sgov.gov", prefixes: &["us-isob-"] },
    Partition { id: "aws-iso-e", name: "AWS ISOE (Europe)", dns_suffix: "cloud.adc-e.uk", prefixes: &["eu-isoe-"] },
    Partition { id: "aws-iso-f", name: "AWS ISOF", dns_suffix: "csp.hci.ic.gov", prefixes: &["us-isof-", "eu-isof-"] },
    Partition { id: "aws-iso", name: "AWS ISO (US)", dns_suffix: "c2s.ic.gov", prefixes: &["us-iso-"] },
    Partition { id: "aws-eusc", name: "AWS EUSC", dns_suffix: "amazonaws.eu", prefixes: &["eusc-"] },
];

const STANDARD: Partition = Partition { id: "aws", name: "AWS Standard", dns_suffix: "amazonaws.com", prefixes: &[] };

/// Where objects are created.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub name: Str,
    pub partition: Partition,
}

impl Region {
    pub(crate) fn new(name: &str) -> Self {
        let of = |partition: &&Partition| partition.prefixes.iter().any(|prefix| name.starts_with(prefix));
        Self { name: name.into(), partition: PARTITIONS.iter().find(of).copied().unwrap_or(STANDARD) }
    }

    /// What names an object across regions and services.
    pub(crate) fn arn(&self, service: &str, account: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{account}:{resource}", self.partition.id, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_follows_from_the_region() {
        let of = |region: &str| Region::new(region).partition.id;
        assert_eq!(of("ca-central-1"), "aws");
        assert_eq!(of("us-gov-west-1"), "aws-us-gov");
        assert_eq!(of("cn-north-1"), "aws-cn");
        assert_eq!(of("us-iso-east-1"), "aws-iso");
        assert_eq!(of("us-isob-east-1"), "aws-iso-b");
        assert_eq!(Region::new("us-gov-west-1").arn("ec2", "1", "vpc/v"), "arn:aws-us-gov:ec2:us-gov-west-1:1:vpc/v");
    }
}
