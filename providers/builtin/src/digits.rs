//! Writes bytes as digits.

/// Two lower-case digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes as one number, the first one the most significant.
pub(crate) fn decimal(bytes: &[u8]) -> String {
    // Digits in reverse order: multiply by 256 and add, as on paper.
    let mut digits = vec![0_u16];
    for byte in bytes {
        let mut carry = u16::from(*byte);
        for digit in &mut digits {
            carry += *digit * 256;
            *digit = carry % 10;
            carry /= 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    digits.iter().rev().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_decimal() {
        let cases: [(&[u8], &str); 5] = [
            (&[0], "0"),
            (&[0, 255], "255"),
            (&[1, 0], "256"),
            (&[0xde, 0xad, 0xbe, 0xef], "3735928559"),
            (&[255; 16], "340282366920938463463374607431768211455"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(decimal(bytes), expected);
        }
    }
}
