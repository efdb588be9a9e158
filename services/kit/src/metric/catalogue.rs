//! Every metric that a plan can define. What a plan chooses among them, and what it aims at, is data.

use super::entry::Parameter::{
    CaseKinds, Categories, Clocks, ExitKinds, Grace, HouseholdBasis, Limit, LookAhead, LookBack, Programme, Questions, RecallWindow,
    SatisfiedLevels, ScoreMap, Window, Windows,
};
use super::entry::{Basis, Metric, Owner, Source};
use super::period::PeriodKind;
use super::unit::Unit;

const CASES: &[super::Parameter] = &[CaseKinds, Categories];
const TIMELY: &[super::Parameter] = &[CaseKinds, Categories, Clocks];
const COMPLAINT: &[&str] = &["complaint"];

const fn timely(id: &'static str, clocks: &'static [&'static str], name_zh: &'static str, name_en: &'static str) -> Metric {
    Metric::rate(id, "F-06", Owner::WorkOrder, name_zh, name_en).by(&["by_due_time"]).choosing(TIMELY).of_clocks(clocks)
}

const fn callbacks(id: &'static str, name_zh: &'static str, name_en: &'static str) -> Metric {
    Metric::rate(id, "F-08", Owner::WorkOrder, name_zh, name_en)
        .by(&["effective_in_window", "attempted_in_window", "effective", "attempted"])
        .choosing(CASES)
}

const fn callback_csat(id: &'static str, kinds: &'static [&'static str], name_zh: &'static str, name_en: &'static str) -> Metric {
    Metric::rate(id, "F-01", Owner::WorkOrder, name_zh, name_en)
        .from(Source::Callback)
        .by(&["top_levels"])
        .choosing(&[CaseKinds, Categories, SatisfiedLevels])
        .of_kinds(kinds)
}

const fn survey(id: &'static str, formula: &'static str, name_zh: &'static str, name_en: &'static str) -> Metric {
    Metric::rate(id, formula, Owner::Survey, name_zh, name_en).every(PeriodKind::Wave)
}

const fn care(id: &'static str, formula: &'static str, name_zh: &'static str, name_en: &'static str) -> Metric {
    Metric::rate(id, formula, Owner::Care, name_zh, name_en)
}

const fn messages(id: &'static str, formula: &'static str, name_zh: &'static str, name_en: &'static str) -> Metric {
    Metric::rate(id, formula, Owner::Notification, name_zh, name_en)
}

static METRICS: &[Metric] = &[
    // Work orders.
    Metric::rate("complaint_rate", "F-05a", Owner::WorkOrder, "投诉率", "Complaint rate")
        .by(&["distinct_households"])
        .choosing(&[CaseKinds, Categories, HouseholdBasis])
        .of_kinds(COMPLAINT)
        .of_households(Basis::Managed)
        .lower_is_better()
        .growing(),
    Metric::rate("complaints_per_1000hh", "F-05a", Owner::WorkOrder, "每千户投诉量", "Complaints per thousand households")
        .by(&["valid_cases"])
        .choosing(&[CaseKinds, Categories, HouseholdBasis])
        .of_kinds(COMPLAINT)
        .of_households(Basis::Managed)
        .shown_as(Unit::PerThousand)
        .lower_is_better()
        .growing(),
    Metric::rate("complaint_count", "F-05a", Owner::WorkOrder, "投诉量", "Complaints")
        .by(&["valid_cases"])
        .choosing(CASES)
        .of_kinds(COMPLAINT)
        .shown_as(Unit::Count)
        .lower_is_better()
        .growing(),
    timely("timely_rate.push", &["push"], "推送及时率", "Pushed in time"),
    timely("timely_rate.first_response", &["first_response"], "首次响应及时率", "First response in time"),
    timely("timely_rate.owner_contact", &["owner_contact"], "责任部门联系及时率", "Owner contact in time"),
    timely("timely_rate.contact", &["contact_customer"], "联系及时率", "Contact in time"),
    timely("timely_rate.arrive", &["arrive"], "上门及时率", "Arrival in time"),
    timely("timely_rate.assess", &["initial_assessment"], "初步评估及时率", "Assessment in time"),
    timely("timely_rate.result", &["result_feedback"], "结果反馈及时率", "Result in time"),
    timely("timely_rate.callback", &["callback"], "回访及时率", "Callback in time"),
    timely("timely_rate.special_request", &["first_response", "special_request"], "特殊需求响应及时率", "Special request answered in time")
        .of_kinds(&["request"]),
    timely("timely_rate.promise", &["promise"], "承诺兑现率", "Promise kept in time"),
    Metric::rate("promise_kept_rate", "F-16", Owner::WorkOrder, "承诺兑现率", "Promise kept")
        .by(&["by_due_time"])
        .choosing(TIMELY)
        .of_clocks(&["promise"]),
    timely("complaint_timely_rate", &["result_feedback"], "投诉处理及时率", "Complaints handled in time").of_kinds(COMPLAINT),
    Metric::rate("first_response_hours", "F-07c", Owner::WorkOrder, "平均响应时间", "Time to first response")
        .by(&["mean_of_human_answers"])
        .choosing(CASES)
        .of_kinds(COMPLAINT)
        .shown_as(Unit::Seconds)
        .lower_is_better(),
    Metric::rate("repair_wait_time", "F-07c", Owner::WorkOrder, "报修等待时间", "Wait for repair")
        .by(&["mean_to_arrival"])
        .choosing(CASES)
        .of_kinds(&["repair"])
        .shown_as(Unit::Seconds)
        .lower_is_better(),
    Metric::rate("resolution_rate", "F-07", Owner::WorkOrder, "解决率", "Resolution rate")
        .by(&["as_of_cut_off"])
        .choosing(&[CaseKinds, Categories, Grace])
        .of_kinds(COMPLAINT),
    Metric::rate("handled_rate", "F-07b", Owner::WorkOrder, "处理率", "Handled rate")
        .by(&["closed_but_invalid"])
        .choosing(CASES)
        .of_kinds(COMPLAINT),
    Metric::rate("mean_handling_time", "F-07c", Owner::WorkOrder, "平均处理时间", "Mean handling time")
        .by(&["mean_less_suspensions"])
        .choosing(CASES)
        .of_kinds(COMPLAINT)
        .shown_as(Unit::SecondsInDays)
        .lower_is_better(),
    callbacks("callback_coverage", "回访率", "Callback coverage"),
    callbacks("complaint_callback_coverage", "投诉回访率", "Complaint callback coverage").of_kinds(COMPLAINT),
    callbacks("repair_callback_coverage", "报修回访率", "Repair callback coverage").of_kinds(&["repair"]),
    callback_csat("repair_csat_rate", &["repair"], "维修满意率", "Satisfaction with repairs"),
    callback_csat("complaint_csat_rate", COMPLAINT, "投诉处理满意率", "Satisfaction with complaint handling"),
    callback_csat("callback_csat_rate", &[], "回访满意率", "Satisfaction at the callback"),
    Metric::rate("feedback_loop_rate", "F-08", Owner::WorkOrder, "闭环反馈率", "Feedback loop closed")
        .by(&["told_or_confirmed"])
        .choosing(CASES),
    Metric::rate("reopen_rate", "F-17", Owner::WorkOrder, "重开率", "Reopen rate").by(&["of_closed"]).choosing(CASES).lower_is_better(),
    Metric::rate("repeat_rate", "F-17", Owner::WorkOrder, "重复报修率", "Repeat rate")
        .by(&["same_household_and_category"])
        .choosing(&[CaseKinds, Categories, LookAhead])
        .lower_is_better(),
    Metric::rate("first_contact_resolution", "F-18", Owner::WorkOrder, "首次解决率", "First-contact resolution")
        .by(&["same_household"])
        .choosing(&[CaseKinds, Categories, LookBack, LookAhead]),
    Metric::rate("suggestion_adoption_rate", "F-19", Owner::WorkOrder, "建议采纳率", "Suggestions adopted")
        .by(&["of_assessed"])
        .choosing(CASES)
        .of_kinds(&["suggestion"]),
    Metric::rate("collation_rate", "F-20", Owner::WorkOrder, "意见汇总及时率", "Collated in time")
        .by(&["by_due_time"])
        .choosing(&[CaseKinds, Categories, Limit])
        .of_kinds(&["suggestion"]),
    Metric::rate("peak_share", "F-06", Owner::WorkOrder, "高峰时段占比", "Share in peak windows")
        .by(&["by_receipt"])
        .choosing(&[CaseKinds, Categories, Windows])
        .lower_is_better(),
    // Surveys.
    survey("csat_rate", "F-01", "满意率", "Satisfaction rate").by(&["top_levels"]).choosing(&[SatisfiedLevels, Questions, Programme]),
    survey("csat_score", "F-02", "满意度得分", "Satisfaction score")
        .by(&["map_20_100", "linear_0_100"])
        .choosing(&[ScoreMap, Questions, Programme])
        .shown_as(Unit::Points),
    survey("csat_index", "F-02b", "满意度指数", "Satisfaction index")
        .by(&["map_20_100", "linear_0_100"])
        .choosing(&[ScoreMap, Programme])
        .shown_as(Unit::Index),
    survey("nps", "F-03", "净推荐值", "Net promoter score").by(&["0_to_10"]).choosing(&[Questions, Programme]).shown_as(Unit::Nps),
    survey("loyalty_rate", "F-04", "忠诚度", "Loyalty").by(&["composite", "recommend_only", "mean_of_three"]).choosing(&[
        SatisfiedLevels,
        Questions,
        Programme,
    ]),
    survey("complaint_rate", "F-05b", "总体投诉率（调查）", "Complaint rate by survey")
        .by(&["said_so"])
        .choosing(&[RecallWindow, Questions, Programme])
        .lower_is_better(),
    survey("complaint_timely_rate", "F-06b", "投诉处理及时率（调查）", "Timeliness by survey")
        .by(&["complainants_said_so"])
        .choosing(&[Questions, Programme]),
    survey("suggestions_count", "SV-26", "客户意见和建议", "Opinions and suggestions")
        .by(&["coded_texts"])
        .choosing(&[Questions, Programme])
        .shown_as(Unit::Count),
    survey("response_rate", "SV-52", "回收率", "Response rate").by(&["valid_of_invited"]).choosing(&[Programme]),
    survey("csat_lift", "F-11", "满意度提升", "Satisfaction lift")
        .by(&["difference_in_differences", "before_after"])
        .choosing(&[SatisfiedLevels, Questions, Programme, Window])
        .shown_as(Unit::RateDifference)
        .every(PeriodKind::HalfYear),
    survey("improvement_effect", "F-22", "改进效果", "Effect of measures")
        .by(&["after_less_baseline"])
        .choosing(&[Window, Programme])
        .shown_as(Unit::RateDifference)
        .every(PeriodKind::Quarter),
    survey("interview_rounds_done", "SV-20", "深度访谈轮次", "Interview rounds done")
        .by(&["completed"])
        .choosing(&[Programme, Window])
        .shown_as(Unit::Count)
        .every(PeriodKind::Quarter)
        .growing(),
    survey("improvement_plans_done", "SV-19", "完成的提升方案", "Improvement plans done")
        .by(&["completed"])
        .choosing(&[Programme, Window])
        .shown_as(Unit::Count)
        .every(PeriodKind::Quarter)
        .growing(),
    survey("suggestion_adoption_rate", "F-19", "建议采纳率（建议箱）", "Suggestions adopted (box)")
        .by(&["of_assessed"])
        .choosing(&[Programme])
        .every(PeriodKind::Month),
    survey("collation_rate", "F-20", "意见汇总及时率（建议箱）", "Collated in time (box)")
        .by(&["by_due_time"])
        .choosing(&[Limit])
        .every(PeriodKind::Month),
    // Care.
    care("campaign_complaint_rate", "F-05c", "活动引发投诉率", "Complaints after a campaign")
        .by(&["distinct_customers"])
        .choosing(&[Programme, LookAhead])
        .every(PeriodKind::Campaign)
        .lower_is_better(),
    care("relationship_callback_coverage", "F-08b", "每月回访率", "Relationship callback coverage")
        .by(&["two_way_contacts"])
        .choosing(&[Programme]),
    care("care_coverage", "F-09", "关怀覆盖率", "Care coverage")
        .by(&["delivered_actions"])
        .choosing(&[HouseholdBasis, Window, Programme])
        .of_households(Basis::Delivered)
        .every(PeriodKind::Quarter),
    care("reach_rate", "F-10", "触达率", "Reach rate").by(&["delivered_or_read"]).choosing(&[Programme]),
    care("reach_rate_lift", "F-10", "触达率提升", "Lift of the reach rate")
        .by(&["relative"])
        .choosing(&[Programme])
        .shown_as(Unit::RelativeChange)
        .every(PeriodKind::Quarter),
    care("delivery_rate", "F-14", "交付率", "Delivery rate").by(&["within_window"]).choosing(&[Programme]).every(PeriodKind::Batch),
    care("visit_conformity", "F-21", "拜访合规率", "Visit conformity").by(&["all_of_five"]).choosing(&[Programme]).every(PeriodKind::Round),
    // Customers.
    Metric::rate("estate_churn", "F-13a", Owner::Customer, "项目流失率", "Estate churn")
        .by(&["estates"])
        .every(PeriodKind::Year)
        .lower_is_better()
        .growing(),
    Metric::rate("churn_rate", "F-13b", Owner::Customer, "客户流失率", "Customer churn")
        .by(&["service_related_exits"])
        .choosing(&[ExitKinds])
        .every(PeriodKind::Year)
        .lower_is_better()
        .growing(),
    Metric::rate("data_quality_dup_rate", "CP-53", Owner::Customer, "档案重复率", "Duplicate records").by(&["suspected"]).lower_is_better(),
    Metric::rate("data_quality_completeness", "CP-53", Owner::Customer, "档案完整率", "Complete records").by(&["required_fields"]),
    // Messages to customers.
    messages("message_reach_rate", "NT-36", "消息触达率", "Messages that arrived").by(&["delivered_or_read"]),
    messages("message_read_rate", "NT-36", "消息阅读率", "Messages read").by(&["read_of_delivered"]),
    messages("message_latency", "NT-22", "消息时延", "Time from the fact to the hand-over")
        .by(&["fact_to_hand_over"])
        .shown_as(Unit::SecondsAsTheyAre)
        .lower_is_better(),
    // Without a limit of the plan there is nothing that a message could be late by, and so no data.
    messages("message_timely_rate", "NT-18", "消息及时率", "Messages handed over in time").by(&["within_limit"]).choosing(&[Limit]),
    messages("emergency_handover_rate", "NT-39", "应急消息及时送出率", "Emergency messages handed over in time")
        .by(&["within_limit"])
        .choosing(&[Limit]),
    messages("message_suppressed_rate", "NT-38", "消息抑制率", "Messages held back").by(&["of_judged"]).lower_is_better(),
    // The plan itself.
    Metric::rate("net_benefit", "F-15", Owner::Gateway, "年度净效益", "Net benefit of a year")
        .by(&["planned_volumes"])
        .every(PeriodKind::Year)
        .shown_as(Unit::Currency)
        .growing(),
];

/// Every metric, grouped by owner.
pub fn metrics() -> &'static [Metric] {
    METRICS
}

/// A metric by its id and source; without a source the first of that id.
pub fn metric(id: &str, source: Option<Source>) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.id == id && source.is_none_or(|source| metric.source == source))
}

/// Whether there is such an id, whatever its source.
pub fn has_metric(id: &str) -> bool {
    METRICS.iter().any(|metric| metric.id == id)
}
