// The one door of every npm script: `node scripts/run.mjs TASK ARGUMENTS…`. It looks at the Node it runs on before
// anything newer is parsed, then hands over to TASK.mjs beside it, whose run(arguments) gives the exit code.
import { nodeTooOld, wantedNode } from "./node-version.mjs";

const tooOld = nodeTooOld(process.versions.node, wantedNode());
if (tooOld !== undefined) {
  console.error(tooOld);
  process.exitCode = 1;
} else {
  import("./" + process.argv[2] + ".mjs")
    .then((task) => task.run(process.argv.slice(3)))
    .then(
      (exitCode) => {
        if (exitCode !== undefined) process.exitCode = exitCode;
      },
      (error) => {
        // Of an option that is not there only the message is of use.
        console.error(
          String(error?.code).startsWith("ERR_PARSE_ARGS") ? `${process.argv[2]}: ${error.message}` : error,
        );
        process.exitCode = 1;
      },
    );
}
