// Says on a pull request what preview and gate found in one stack: one comment a stack, written anew at each push.
//
// Reads preview.txt and gate.txt in the current folder, and STACK, PREVIEW, GATE and COMPLIANCE (how the steps ended) in
// the environment. Nothing that a file holds can end the block that it is shown in.
"use strict";

const { existsSync, readFileSync } = require("node:fs");
const { stripVTControlCharacters } = require("node:util");

// GitHub refuses a comment of more than 65536 characters.
const LIMIT = 65_000;
const AUTHOR = "github-actions[bot]";
const FENCE = "`".repeat(10);

/** What a step wrote, without colours and without anything that could be taken for the block's end. */
function written(file) {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  return stripVTControlCharacters(text).replace(/`{10,}/g, "`").trim();
}

/** The end of a text, where verdicts stand, in at most `room` characters. */
function end(text, room) {
  const note = "… the beginning is left out; the run's log has it\n";
  return text.length <= room ? text : note + text.slice(text.length - (room - note.length));
}

function body(marker, run, { STACK, PREVIEW, GATE, COMPLIANCE }) {
  const compose = (gate, preview) =>
    [
      marker,
      `### ${STACK}: preview ${PREVIEW}, gate ${GATE}, compliance ${COMPLIANCE}`,
      `${FENCE}text\n${gate}\n${FENCE}`,
      `<details><summary>Preview</summary>\n\n${FENCE}text\n${preview}\n${FENCE}\n\n</details>`,
      `[The run](${run})`,
    ].join("\n\n");
  const room = LIMIT - compose("", "").length;
  const gate = end(written("gate.txt"), Math.floor(room / 2));
  return compose(gate, end(written("preview.txt"), room - gate.length));
}

module.exports = async ({ github, context }) => {
  const { owner, repo } = context.repo;
  const { issues } = github.rest;
  const marker = `<!-- preview of the stack ${process.env.STACK} -->`;
  const said = body(marker, `${context.serverUrl}/${owner}/${repo}/actions/runs/${context.runId}`, process.env);
  const thread = { owner, repo, issue_number: context.issue.number };
  const comments = await github.paginate(issues.listComments, { ...thread, per_page: 100 });
  // Anybody may write the marker; what is written anew is this workflow's own.
  const earlier = comments.find((each) => each.user?.login === AUTHOR && each.body?.startsWith(marker));
  if (earlier) await issues.updateComment({ owner, repo, comment_id: earlier.id, body: said });
  else await issues.createComment({ ...thread, body: said });
};
