// Renders the formulas of all pages in a folder, so that a reader needs no JavaScript. An invalid formula is an
// error.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import katex from "katex";

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" };
const FORMULA = /<(span|div) class="arithmatex">\\[([](.*?)\\[)\]]<\/\1>/gs;

let count = 0;
for (const name of readdirSync(process.argv[2], { recursive: true })) {
    if (!name.endsWith(".html")) continue;
    const path = join(process.argv[2], name);
    const page = readFileSync(path, "utf8");
    const rendered = page.replace(FORMULA, (_, element, formula) => {
        count += 1;
        const text = formula.replace(/&(lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity]);
        return katex.renderToString(text, { displayMode: element === "div", strict: "error" });
    });
    if (rendered !== page) writeFileSync(path, rendered);
}
console.log(`${count} formulas`);
