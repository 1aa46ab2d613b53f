-- Computes the current version and the counts of the touched videos.
INSERT INTO video_stats (
    video_key, version, live, id, pubkey, kind, d_tag, created_at, published_at, expiration,
    title, content, video_url, fallback_urls, thumbnail, dimensions, blurhash, sha256, duration,
    alt, language, hashtags, sensitive, content_warning, platform,
    embedded_loops, embedded_likes, embedded_comments, embedded_reposts, tags,
    reactions, likes, dislikes, emojis, emoji_images, comments, reposts, quotes, bookmarks,
    zaps, zap_msat, zaps_unverified, zap_msat_unverified, views, unique_viewers, loops,
    reports, labels, plain_score, trusted_score
)
WITH
    -- an invoice is paid once, however many receipts repeat it
    arrayDistinct(arrayMap(
        payment -> (payment.1, payment.2),
        arrayFilter(payment -> payment.3, counts.payments)
    )) AS verified,
    arrayFilter(
        payment -> NOT has(verified, payment),
        arrayDistinct(arrayMap(payment -> (payment.1, payment.2), counts.payments))
    ) AS unverified,
-- if labelers
    -- the reasons that trusted people give for a warning (NIP-36)
    arrayMap(
        label -> substring(label, length('content-warning') + 2),
        arrayFilter(label -> startsWith(label, 'content-warning\0'), counts.trusted_labels)
    ) AS warnings,
-- end
    videos AS (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'video'),
    targets AS (SELECT target FROM touched_targets WHERE pass = {pass:UInt64}),
    newest AS (
        SELECT
            video_key,
            id,
            pubkey,
            created_at,
            first_created_at,
            JSONExtract(
                details,
                'Tuple(
                    kind UInt16, d_tag String, expiration UInt32, published_tag UInt32, title String,
                    content String, video_url String, fallback_urls Array(String), thumbnail String,
                    dimensions String, blurhash String, sha256 String, duration Float64, alt String,
                    language String, hashtags Array(String), sensitive Bool, content_warning String,
                    platform String, embedded_loops Nullable(UInt64), embedded_likes UInt64,
                    embedded_comments UInt64, embedded_reposts UInt64, tags Array(Array(String))
                )'
            ) AS said
        FROM (
            SELECT
                video_key,
                target AS id,
                pubkey,
                created_at,
                details,
                min(created_at) OVER (PARTITION BY video_key) AS first_created_at
            FROM touched_targets
            -- an address says nothing by itself
            WHERE pass = {pass:UInt64} AND details != ''
            ORDER BY video_key ASC, created_at DESC, id ASC
            LIMIT 1 BY video_key
        )
    ),
    -- acts on the touched videos that are alive and meant for a video
    acts AS (
        SELECT
            video_key,
            relation,
            event_id,
            token,
            token_url,
            actor,
            pubkey,
            created_at,
            amount_msat
        FROM touched_acts
        WHERE pass = {pass:UInt64}
            -- NIP-25: where the id that the reaction names turns out to be known, the id decides alone
            -- mostly it is a version of the same video
            AND unless_known NOT IN targets
            AND unless_known NOT IN (
                SELECT id
                FROM events_local
                WHERE id IN (
                    SELECT unless_known
                    FROM touched_acts
                    WHERE pass = {pass:UInt64} AND unless_known != '' AND unless_known NOT IN targets
                )
                    AND created_at <= {now:UInt32} + 900
            )
            AND (event_id, pubkey) NOT IN (
                SELECT
                    target,
                    pubkey
                FROM deletions
                WHERE target IN (SELECT event_id FROM touched_acts WHERE pass = {pass:UInt64})
                    AND created_at <= {now:UInt32} + 900
            )
    ),
    -- what one person does with one video
    people AS (
        SELECT
            video_key,
            relation,
            actor,
            uniqExactIf(event_id, relation = 'comment') AS events,
            countIf(token IN ('+', '', '-')) > 0 AS has_voted,
            -- decision D2: the latest vote decides, at the same second the lowest id
            argMinIf(token, (-toInt64(created_at), event_id), token IN ('+', '', '-')) AS vote,
            groupUniqArray(token) AS texts,
            groupUniqArray(concat(token, '\0', token_url)) AS tokens,
            max(created_at) AS latest,
            -- who dislikes a video has not spoken for it
            multiIf(
                relation = 'reaction' AND NOT (has_voted AND vote = '-'), 1,
                relation = 'comment', 2,
                relation = 'repost', 3,
                0
            ) AS worth,
            groupUniqArrayIf(
                (token, amount_msat, pubkey IN {zap_signers:Array(String)}),
                relation = 'zap'
            ) AS payments
        FROM acts
        GROUP BY
            video_key,
            relation,
            actor
    ),
    counts AS (
        SELECT
            video_key,
            countIf(relation = 'reaction') AS reactions,
            countIf(relation = 'reaction' AND has_voted AND vote != '-') AS likes,
            countIf(relation = 'reaction' AND has_voted AND vote = '-') AS dislikes,
            sum(events) AS comments,
            countIf(relation = 'repost') AS reposts,
            countIf(relation = 'quote') AS quotes,
            sumMapIf(texts, arrayMap(text -> 1, texts), relation = 'reaction') AS said,
            sumMapIf(tokens, arrayMap(token -> 1, tokens), relation = 'reaction') AS pictured,
            sumMapIf(tokens, arrayMap(token -> 1, tokens), relation = 'report') AS reported,
            sumMapIf(tokens, arrayMap(token -> 1, tokens), relation = 'label') AS labelled,
-- if labelers
            groupUniqArrayArrayIf(
                texts,
                relation = 'label' AND actor IN {trusted_labelers:Array(String)}
            ) AS trusted_labels,
-- end
            -- one voice for each person and kind of act
            sum(worth) AS plain_score,
            -- what people do before they have been here for a day is not trusted, nor what those do
            -- whom the seeds do not reach
            sumIf(
                worth
-- if seeds
                * trusted.weight
-- end
                ,
                latest >= known.first_at + 86400
            ) AS trusted_score,
            groupUniqArrayArray(payments) AS payments
        FROM people
        LEFT JOIN (
            SELECT
                pubkey,
                min(created_at) AS first_at
            FROM first_seen
            WHERE pubkey IN (SELECT actor FROM touched_acts WHERE pass = {pass:UInt64})
            GROUP BY pubkey
        ) AS known ON people.actor = known.pubkey
-- if seeds
        LEFT JOIN (
            SELECT
                pubkey,
                weight
            FROM trust_weights FINAL
            WHERE pubkey IN (SELECT actor FROM touched_acts WHERE pass = {pass:UInt64})
        ) AS trusted ON people.actor = trusted.pubkey
-- end
        GROUP BY video_key
    ),
    bookmarked AS (
        SELECT
            touched_targets.video_key AS video_key,
            uniqExact(list_entries.pubkey) AS bookmarks
        FROM list_entries FINAL
        INNER JOIN (
            SELECT DISTINCT
                target,
                video_key
            FROM touched_targets
            WHERE pass = {pass:UInt64}
        ) AS touched_targets ON list_entries.entry = touched_targets.target
        WHERE entry IN targets AND kind != 3
        GROUP BY video_key
    ),
    -- what one viewer plays of one video on one day, capped against absurd numbers
    played_days AS (
        SELECT
            video_key,
            pubkey,
            played.1 AS day,
            least(sum(played.2), 100) AS day_views,
            least(sum(played.3), 10000000) AS day_milliloops
        FROM (
            SELECT
                touched_targets.video_key AS video_key,
                pubkey,
                -- a session is one view on the day of its first start, and is played when it is played
                arrayJoin(arrayPushBack(
                    groupArray((intDiv(created_at, 86400), 0, milliloops)),
                    (intDiv(min(created_at), 86400), session != '', 0)
                )) AS played
            FROM playbacks FINAL
            INNER JOIN (
                SELECT DISTINCT
                    target,
                    video_key
                FROM touched_targets
                WHERE pass = {pass:UInt64}
            ) AS touched_targets ON playbacks.target = touched_targets.target
            WHERE playbacks.target IN targets AND created_at <= {now:UInt32} + 900
            GROUP BY
                video_key,
                pubkey,
                session
        )
        GROUP BY
            video_key,
            pubkey,
            day
    ),
    played AS (
        SELECT
            video_key,
            sum(day_views) AS views,
            uniqExactIf(pubkey, day_views > 0) AS unique_viewers,
            sum(day_milliloops) AS milliloops
        FROM played_days
        GROUP BY video_key
    )
SELECT
    newest.video_key,
    {pass:UInt64} AS version,
    NOT (
        (deleted.target != '' AND deleted.until >= newest.created_at)
        OR (newest.id, newest.pubkey) IN (
            SELECT
                target,
                pubkey
            FROM deletions
            WHERE target IN targets AND created_at <= {now:UInt32} + 900
        )
    ) AS live,
    newest.id,
    newest.pubkey,
    newest.said.kind,
    newest.said.d_tag,
    newest.created_at,
    if(
        newest.said.published_tag > 0,
        least(newest.said.published_tag, newest.created_at),
        newest.first_created_at
    ) AS published_at,
    newest.said.expiration,
    newest.said.title,
    newest.said.content,
    newest.said.video_url,
    newest.said.fallback_urls,
    newest.said.thumbnail,
    newest.said.dimensions,
    newest.said.blurhash,
    newest.said.sha256,
    newest.said.duration,
    newest.said.alt,
    newest.said.language,
    -- NIP-32: labels of trusted people in namespace #t are hashtags, written as the author's own are
    arrayDistinct(arrayConcat(
        newest.said.hashtags
-- if labelers
        ,
        arraySort(arrayFilter(
            hashtag -> hashtag != '',
            arrayMap(
                label -> normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(
                    extract(substring(label, 4), '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')
                ))),
                arrayFilter(label -> startsWith(label, '#t\0'), counts.trusted_labels)
            )
        ))
-- end
    )) AS hashtags,
    newest.said.sensitive
-- if labelers
    OR notEmpty(warnings)
-- end
    AS sensitive,
    if(
        newest.said.sensitive,
        newest.said.content_warning,
        ''
-- if labelers
        || arrayMin(warnings)
-- end
    ) AS content_warning,
    newest.said.platform,
    newest.said.embedded_loops,
    newest.said.embedded_likes,
    newest.said.embedded_comments,
    newest.said.embedded_reposts,
    newest.said.tags,
    counts.reactions,
    counts.likes,
    counts.dislikes,
    arrayFilter(
        emoji -> emoji.1 NOT IN ('+', '', '-', 'other'),
        arrayZip(counts.said.1, counts.said.2)
    ) AS emojis,
    arrayFilter(
        emoji -> emoji.1 NOT IN ('+', '', '-', 'other'),
        arrayMap(
            (token, people) -> (
                splitByChar('\0', token)[1],
                splitByChar('\0', token)[2],
                people
            ),
            counts.pictured.1,
            counts.pictured.2
        )
    ) AS emoji_images,
    counts.comments,
    counts.reposts,
    counts.quotes,
    bookmarked.bookmarks,
    length(verified) AS zaps,
    arraySum(payment -> payment.2, verified) AS zap_msat,
    length(unverified) AS zaps_unverified,
    arraySum(payment -> payment.2, unverified) AS zap_msat_unverified,
    played.views,
    played.unique_viewers,
    played.milliloops / 1000 AS loops,
    arrayMap(
        (token, people) -> (splitByChar('\0', token)[1], people),
        counts.reported.1,
        counts.reported.2
    ) AS reports,
    arrayMap(
        (token, people) -> (
            splitByChar('\0', token)[1],
            splitByChar('\0', token)[2],
            people
        ),
        counts.labelled.1,
        counts.labelled.2
    ) AS labels,
    counts.plain_score,
    counts.trusted_score
FROM newest
LEFT JOIN counts ON newest.video_key = counts.video_key
LEFT JOIN bookmarked ON newest.video_key = bookmarked.video_key
LEFT JOIN played ON newest.video_key = played.video_key
LEFT JOIN (
    SELECT
        target,
        max(created_at) AS until
    FROM deletions
    -- by address: kinds 21 and 22 have none, their ids are deleted like any id
    WHERE target IN videos
        AND match(target, '^3423[56]:')
        AND created_at <= {now:UInt32} + 900
    GROUP BY target
) AS deleted ON newest.video_key = deleted.target
