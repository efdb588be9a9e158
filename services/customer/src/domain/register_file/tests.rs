use jiff::civil::date;

use super::*;

const TODAY: Date = date(2026, 3, 1);

fn read(text: &str) -> RegisterFile {
    RegisterFile::read(text.as_bytes(), TODAY).expect("a readable file")
}

/// Line, column number and reason of everything that is wrong.
fn problems(text: &str) -> Vec<(u32, u32, ProblemReason)> {
    let rows = read(text).rows;
    let problems = rows.iter().filter_map(|row| row.outcome.as_ref().err()).flatten();
    problems.map(|problem| (problem.line, problem.column_number, problem.reason)).collect()
}

/// CP-53, XC-62
#[test]
fn chinese_and_english_headers_mean_the_same() {
    let chinese = read("\u{feff}楼栋,单元,房号,姓名,电话,身份,起始日期\r\n３,2,1802,王 芳,＋86 199 0000 1234,业主,2024年5月1日\r\n");
    let english = read("building,entrance,unit,name,phone,role,from_date\n3,2,1802,王芳,199-0000-1234,owner,2024-05-01\n");
    let row = |file: &RegisterFile| file.rows[0].outcome.clone().expect("a good row");
    assert_eq!(chinese.rows[0].unit_full_code, "3-2-1802");
    assert_eq!(row(&chinese).unit, row(&english).unit);
    let (a, b) = (row(&chinese).customer.expect("a customer"), row(&english).customer.expect("a customer"));
    assert_eq!((a.phone, a.role, a.from_date), (b.phone, b.role, b.from_date));
}

/// CP-53
#[test]
fn every_mistake_is_told_by_line_and_column() {
    let text = "building,unit,floor,customer_name,phone,email,role,to_date,from_date\n\
        1,101,x,王芳,12345,wang@,boss,2026-13-01,\n\
        ,102,,,,,,,\n\
        1,103,,李雷,,,,,\n\
        1,104,,,19900001234,,owner,,\n\
        1,105,,韩梅,,,tenant,2025-01-01,2026-01-01\n\
        1,106\n";
    use ProblemReason as R;
    assert_eq!(
        problems(text),
        [
            (2, 3, R::NumberInvalid),
            (2, 5, R::PhoneInvalid),
            (2, 6, R::EmailInvalid),
            (2, 7, R::WordUnknown),
            (2, 8, R::DateInvalid),
            (3, 1, R::ValueMissing),
            (4, 7, R::ValueMissing),
            (5, 4, R::ValueMissing),
            (6, 8, R::DatesReversed),
            (7, 0, R::RowMalformed),
        ]
    );
}

#[test]
fn an_open_quote_costs_its_own_line_only() {
    let text = "building,unit,customer_name,role\n1,101,\"王芳,owner\n1,102,\"李\n雷\",owner\n\n1,103,韩梅,owner\n";
    let file = read(text);
    let lines: Vec<_> = file.rows.iter().map(|row| (row.line, row.outcome.is_ok())).collect();
    assert_eq!(lines, [(2, false), (3, true), (6, true)]);
    assert_eq!(problems(text), [(2, 0, ProblemReason::RowMalformed)]);
}

#[test]
fn later_rows_must_not_contradict_earlier_ones() {
    let text = "building,unit,floor,customer_name,phone,role\n\
        1,101,1,王芳,19900001234,owner\n\
        1,101,2,李雷,19900001235,tenant\n\
        1,101,1,王芳,19900001234,owner\n\
        1,101,1,赵六,19900001236,owner\n\
        1,101,,赵六,19900001236,co_owner\n";
    use ProblemReason as R;
    assert_eq!(problems(text), [(3, 3, R::ContradictsRow), (4, 0, R::DuplicateRow), (5, 0, R::OwnerExists)]);
}

#[test]
fn problems_never_repeat_a_cell() {
    let text = "building,unit,customer_name,phone,id_number,role\n1,101,王芳,1990000123,110105194912310021,owner\n";
    let rows = read(text).rows;
    let told = format!("{:?}", rows[0].outcome);
    assert!(!told.contains("1990000123") && !told.contains("110105"), "{told}");
}

#[test]
fn a_file_without_a_usable_header_fails_as_a_whole() {
    let code = |bytes: &[u8]| RegisterFile::read(bytes, TODAY).expect_err("fails").code;
    assert_eq!(code(b""), "FILE_EMPTY");
    assert_eq!(code(b"building,phone\n"), "HEADER_MISSING_COLUMN");
    assert_eq!(code("楼栋,building,unit\n".as_bytes()), "HEADER_COLUMN_TWICE");
    assert_eq!(code(b"\xc2\xa5\xb6\xb0,unit\n"), "HEADER_UNREADABLE");
    assert_eq!(read("building,unit,颜色\n").ignored_columns, ["颜色"]);
}

/// CP-53: a bare CR ends a line like any other, so that no two rows are of one line.
#[test]
fn lines_are_counted_however_they_end() {
    let read = RegisterFile::read(b"building,unit\r1,101\r\r1,102\n\"1\",103\r\n1,104", TODAY).expect("a readable file");
    assert_eq!(read.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4, 5, 6]);
}
