//! The catalogue of household facts, which customer keeps and every service may ask.

use std::sync::LazyLock;

use super::catalogue::{Catalogue, Field};
use super::fact::FactType::{Boolean, Code, Codes, Date, Decimal, Integer};

/// The eight life-cycle stages, in order (CP-09): 温馨牵手, 喜结连理, 亲密接触, 恭迎乔迁, 嘘寒问暖, 承担责任, 一路同行, 四年之约.
pub const JOURNEY_STAGES: &[&str] =
    &["first_meeting", "signing", "closer_contact", "welcome_home", "settling_in", "taking_responsibility", "together", "fourth_year"];

/// The eight journey nodes, in order (CP-10): inquiry to exit.
pub const JOURNEY_NODES: &[&str] =
    &["inquiry", "signing", "early_occupancy", "mid_occupancy", "community", "special_need", "upgrade", "exit"];

/// Lengths in days that service usage is counted over (CP-06).
pub const SERVICE_WINDOWS: [u16; 4] = [30, 60, 90, 365];

const OCCUPANCIES: &[&str] = &["undelivered", "delivered", "renovating", "occupied", "leased", "vacant"];
const KINDS: &[&str] = &["prospect", "quasi_owner", "owner", "long_standing_owner", "resident"];
const AGE_BANDS: &[&str] = &["0_13", "14_17", "18_24", "25_35", "36_44", "45_59", "60_69", "70_79", "80_plus"];
const ROLES: &[&str] = &["owner", "co_owner", "family_member", "tenant", "occupant", "agent", "company_contact"];
const FAMILIES: &[&str] = &["alone", "couple", "empty_nest", "with_children", "three_generations", "shared"];
const OCCUPATIONS: &[&str] = &["employed", "self_employed", "student", "retired", "homemaker", "other"];

impl Catalogue {
    /// What can be asked of a household, its unit, and its main contact. `customer.*`, `tenure.*` and `tag` speak of the
    /// main contact where a household is asked, and of each member where customers are.
    pub fn household() -> &'static Self {
        static CATALOGUE: LazyLock<Catalogue> =
            LazyLock::new(|| Catalogue::new(household_fields().into_iter().chain(customer_fields())).with_family(service_use));
        &CATALOGUE
    }
}

fn household_fields() -> Vec<Field> {
    vec![
        Field::of_codes("household.occupancy", OCCUPANCIES, "入住状态", "Occupancy (CP-17)"),
        Field::new("household.occupancy_date", Date, "入住状态起始日", "Day since which the occupancy holds"),
        Field::new("household.delivered_date", Date, "交付日期", "Day of handover; may lie ahead"),
        Field::new("household.is_delivered", Boolean, "是否已交付", "Handed over by today"),
        Field::new("household.moved_in_date", Date, "入住日期", "First day lived in or let"),
        Field::new("household.is_renovating", Boolean, "是否装修中", "A renovation is under way (CP-18)"),
        Field::new("household.renovation_start_date", Date, "装修开始日", "First day of the latest renovation"),
        Field::new("household.renovation_end_date", Date, "装修结束日", "Last day of the latest renovation, as it is or as planned"),
        Field::new("household.has_major_complaint", Boolean, "重大投诉标记", "A major complaint stands (CP-40)"),
        Field::new("household.major_complaint_date", Date, "重大投诉日期", "Day of the latest major complaint that stands"),
        Field::new("household.member_count", Integer, "成员人数", "Members today"),
        Field::new("household.has_owner", Boolean, "有业主信息", "An owner is recorded"),
        Field::new("household.is_reachable", Boolean, "可联系", "A member can be reached by phone or e-mail"),
        Field::new("household.eldest_age", Integer, "最年长成员年龄", "Age of the eldest member").personal(),
        Field::new("household.youngest_age", Integer, "最年幼成员年龄", "Age of the youngest member").personal(),
        Field::new("household.tag", Codes, "家庭标签", "Tags of any member"),
        Field::of_codes("unit.kind", &["residential", "commercial"], "房屋用途", "What the unit is used for"),
        Field::new("unit.building_code", Code, "楼栋", "Code of the building"),
        Field::new("unit.entrance_code", Code, "单元", "Code of the entrance"),
        Field::new("unit.floor", Integer, "楼层", "Floor"),
        Field::new("unit.area_square_metres", Decimal, "建筑面积", "Floor area in square metres"),
    ]
}

fn customer_fields() -> Vec<Field> {
    vec![
        Field::of_codes("tenure.role", ROLES, "与房屋的关系", "What the customer is to the unit"),
        Field::new("tenure.from_date", Date, "关系起始日", "First day of that tenure"),
        Field::of_codes("customer.party", &["person", "organisation"], "客户性质", "Person or organisation"),
        Field::of_codes("customer.kind", KINDS, "客户类别", "Prospect to long-standing owner (CP-08)"),
        Field::of_codes("customer.journey_stage", JOURNEY_STAGES, "生命周期阶段", "Life-cycle stage (CP-09)"),
        Field::of_codes("customer.journey_node", JOURNEY_NODES, "客户旅程节点", "Journey node (CP-10)"),
        Field::new("customer.age", Integer, "年龄", "Age in years").personal(),
        Field::of_codes("customer.age_band", AGE_BANDS, "年龄段", "Age band").personal(),
        Field::of_codes("customer.family_structure", FAMILIES, "家庭结构", "Family structure (CP-05)").personal(),
        Field::of_codes("customer.occupation", OCCUPATIONS, "职业", "Occupation (CP-05)").personal(),
        Field::new("customer.is_company_owner", Boolean, "是否企业主", "Owns a firm").personal(),
        Field::new("customer.has_opted_out_of_profiling", Boolean, "拒绝画像", "Wants no profile (CP-27)"),
        Field::of_codes("customer.tier", &["essential", "improving", "premium"], "客户分层", "刚需, 改善 or 高端 (CP-26)"),
        Field::of_codes("customer.contact_mode", &["online", "offline"], "联系方式偏好", "How the customer wants to be reached (CP-55)"),
        Field::new("customer.do_not_disturb", Boolean, "免打扰", "Asked to be left alone"),
        Field::of_codes("customer.preferred_language", &["zh-CN", "en"], "语言", "Language for messages"),
        Field::new("tag", Codes, "画像标签", "Tags (CP-22)"),
    ]
}

/// `service.<code>_use_<days>d`: how often a service was used within the last days, today included (CP-06).
fn service_use(name: &str) -> Option<Field> {
    let (code, window) = name.strip_prefix("service.")?.strip_suffix('d')?.rsplit_once("_use_")?;
    let is_code = code.len() <= 40
        && code.starts_with(|first: char| first.is_ascii_lowercase())
        && code.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    let is_window = SERVICE_WINDOWS.iter().any(|days| days.to_string() == window);
    (is_code && is_window).then(|| Field {
        name: name.to_owned().into(),
        fact_type: Integer,
        codes: std::borrow::Cow::Borrowed(&[]),
        zh: format!("近{window}天使用次数：{code}").into(),
        en: format!("Uses of {code} within {window} days").into(),
        is_personal: false,
    })
}
