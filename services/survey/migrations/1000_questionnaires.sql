-- Instruments belong to the whole group. Drafts change; versions never do and are found by their content (SV-47).
CREATE TABLE survey.questionnaires (
    id                uuid        NOT NULL,
    code              text        NOT NULL,
    -- The draft, encoded as the contract encodes it: one content has one encoding.
    draft             bytea       NOT NULL,
    version_count     integer     NOT NULL,
    latest_version_id uuid,
    row_version       bigint      NOT NULL,
    create_time       timestamptz NOT NULL,
    update_time       timestamptz NOT NULL,
    CONSTRAINT questionnaires_pkey PRIMARY KEY (id),
    CONSTRAINT questionnaires_code_key UNIQUE (code),
    CONSTRAINT questionnaires_version_count_check CHECK (version_count >= 0),
    CONSTRAINT questionnaires_row_version_check CHECK (row_version > 0)
);

CREATE TABLE survey.questionnaire_versions (
    id                uuid        NOT NULL,
    questionnaire_id  uuid        NOT NULL,
    version           integer     NOT NULL,
    content           bytea       NOT NULL,
    content_sha256    bytea       NOT NULL,
    comparisons       jsonb       NOT NULL,
    publisher_kind    text        NOT NULL,
    publisher_subject text        NOT NULL,
    publish_time      timestamptz NOT NULL,
    CONSTRAINT questionnaire_versions_pkey PRIMARY KEY (id),
    CONSTRAINT questionnaire_versions_questionnaire_id_fkey FOREIGN KEY (questionnaire_id) REFERENCES survey.questionnaires (id),
    CONSTRAINT questionnaire_versions_version_key UNIQUE (questionnaire_id, version),
    CONSTRAINT questionnaire_versions_content_key UNIQUE (questionnaire_id, content_sha256),
    CONSTRAINT questionnaire_versions_version_check CHECK (version > 0),
    CONSTRAINT questionnaire_versions_content_sha256_check CHECK (octet_length(content_sha256) = 32)
);
