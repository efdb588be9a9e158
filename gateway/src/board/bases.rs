//! The households that rates are of (CP-47).

use std::collections::BTreeSet;

use futures::future::try_join_all;
use jiff::civil::Date;
use steward_kit::metric::{Definition, Period};
use steward_proto::customer::v1::{self as customer, GetHouseholdBaseRequest, HouseholdBaseKind};
use steward_proto::metric::v1::{HouseholdBase, HouseholdBasis};
use tonic::Status;

use crate::aggregate::{Caller, Services};

/// Every period that a rate of households counts, when these days are asked for.
fn periods(definitions: &[Definition], asked: Period) -> Vec<Period> {
    let of_households = definitions.iter().filter(|definition| definition.metric.basis.is_some());
    let ends: BTreeSet<(Date, Date)> =
        of_households.map(|definition| definition.period_for(asked)).map(|period| (period.from, period.to)).collect();
    ends.into_iter().filter_map(|(from, to)| Period::new(from, to)).collect()
}

impl Services {
    /// The bases of estates for the periods that the definitions count. One call for each period, all at once: mostly one or two,
    /// and never more than there are kinds of periods.
    pub(super) async fn household_bases(
        &self,
        caller: &Caller,
        definitions: &[Definition],
        estates: &[String],
        asked: Period,
    ) -> Result<Vec<HouseholdBase>, Status> {
        let asked = periods(definitions, asked).into_iter().map(|period| self.bases_of(caller, estates, period));
        Ok(try_join_all(asked).await?.into_iter().flatten().collect())
    }

    async fn bases_of(&self, caller: &Caller, estates: &[String], period: Period) -> Result<Vec<HouseholdBase>, Status> {
        let (from_date, to_date) = (period.from.to_string(), period.to.to_string());
        let question = GetHouseholdBaseRequest { estate_ids: estates.to_vec(), from_date: from_date.clone(), to_date: to_date.clone() };
        let answer = self.audiences.clone().get_household_base(caller.ask(question)).await?.into_inner();
        Ok(answer.bases.into_iter().filter_map(|base| translated(base, &from_date, &to_date)).collect())
    }
}

/// A base of customer's contract in the words of figures.
fn translated(base: customer::HouseholdBase, from_date: &str, to_date: &str) -> Option<HouseholdBase> {
    let basis = match base.kind() {
        HouseholdBaseKind::Unspecified => return None,
        HouseholdBaseKind::Managed => HouseholdBasis::Managed,
        HouseholdBaseKind::Delivered => HouseholdBasis::Delivered,
        HouseholdBaseKind::Occupied => HouseholdBasis::Occupied,
        HouseholdBaseKind::Billed => HouseholdBasis::Billed,
    };
    Some(HouseholdBase {
        estate_id: base.estate_id,
        basis: basis.into(),
        from_date: from_date.to_owned(),
        to_date: to_date.to_owned(),
        household_days: base.count_sum,
        days: i64::from(base.day_count),
    })
}
