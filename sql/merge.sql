-- SPDX-License-Identifier: PostgreSQL
-- RFC 7396 JSON merge patch on the binary form of jsonb.

CREATE FUNCTION weir.merge_patch(target jsonb, patch jsonb, null_sentinel text DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'weir_merge_patch' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION weir.merge_patch IS
'target with an RFC 7396 merge patch applied: null removes a member, an object merges, anything else replaces. A '
'string in the patch equal to null_sentinel (at any depth, in arrays too) sets a JSON null; NULL: there is no '
'sentinel. target or patch NULL: NULL. Errors: 22023 empty null_sentinel, 54001 where the patch nests deeper than '
'512, 54000 where the result is too large.';

CREATE FUNCTION weir.merge_diff("from" jsonb, "to" jsonb, null_sentinel text DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'weir_merge_diff' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION weir.merge_diff IS
'The patch that turns "from" into "to": merge_patch("from", merge_diff("from", "to")) = "to". null_sentinel stands '
'for null members of "to"; NULL: there is no sentinel. Error 22023 where no patch can, as for a null member in "to" '
'without a sentinel, or where a changed part of "to" holds the sentinel itself. "from" or "to" NULL: NULL.';

CREATE FUNCTION weir.merge_patches(a jsonb, b jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'weir_merge_patches' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.merge_patches IS
'One patch that does what a and then b do. Error 22023 where none exists: an object in b over a null, scalar or '
'array in a. NULL in, NULL out.';

INSERT INTO weir.privilege (level, name) VALUES
    ('read', 'merge_patch'), ('read', 'merge_diff'), ('read', 'merge_patches');
