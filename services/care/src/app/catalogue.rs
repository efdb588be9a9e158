//! What an estate does for its customers, where the plan wants that to stand, and how long it is remembered.

use jiff::Timestamp;
use jiff::civil::Time;
use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;

use super::App;
use crate::domain::programme::Programme;
use crate::store::programmes::load_running;

/// The catalogue of an estate.
#[derive(Debug)]
pub(crate) struct Catalogue {
    /// The published programmes that hold for it.
    pub(crate) programmes: Vec<Programme>,
    /// How many actions there were when the plan was written, and how many there are to be.
    pub(crate) goal: (u32, u32),
}

impl App {
    /// Since when touchpoints that ended are kept, by estate; an estate whose care policy says nothing keeps them all. From memory.
    pub(crate) async fn kept_since(&self, now: Timestamp) -> Result<Vec<(EstateId, Timestamp)>> {
        let mut since = Vec::new();
        for estate in self.rules.estates.all().await? {
            let rules = self.rules.of(estate.id, now).await?;
            if let Some(span) = &rules.terms.touchpoints_kept {
                since.push((estate.id, rules.at(rules.shift(rules.date(now), true, span)?, Time::midnight())?));
            }
        }
        Ok(since)
    }

    /// The catalogue of actions (CA-07). One trip.
    pub(crate) async fn care_catalogue(&self, access: &Access, estate: EstateId) -> Result<Catalogue> {
        access.scope.estate(estate)?;
        let goal = self.rules.of(estate, self.clock.now()).await?.terms.catalogue_goal;
        Ok(Catalogue { programmes: load_running(self.db.pool(), estate).await?, goal })
    }
}
