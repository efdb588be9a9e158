//! What the care policy of an estate says of its community: cards, uses of the fund, packages. What no layer says is empty, and then
//! nothing is held against it.

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommunityTerms {
    /// Cards of the club, highest first (CA-82).
    pub club_cards: Vec<String>,
    /// What the care fund may be spent on (CA-81); empty means anything.
    pub fund_uses: Vec<String>,
    /// Codes of the packages that are offered (CA-61); empty means any.
    pub packages: Vec<String>,
}
