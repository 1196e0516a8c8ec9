// Files of one idea and functions that fit a screen: a warning over the aim, a fault over the limit. Tests are lists of cases:
// their files may be longer, and a function that holds a whole suite is none to look at.
import { type Fault, faultIn, isCode, lineAt, parsed, type SourceFile } from './source-file.ts';
import { nodesOf } from './syntax.ts';

const FILE_LINES = { aim: 300, limit: 400 };
const TEST_FILE_LINES = { aim: 400, limit: 700 };
/** Code files beside each other, of the product: more are a room to be divided. */
const FOLDER_FILES_MAX = 20;
const FUNCTION_LINES = { aim: 70, limit: 100 };
/** Comments are read in the width that the code has. */
const COMMENT_COLUMNS = 120;
const FUNCTIONS = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'];

export function sizeFaults(files: readonly SourceFile[]): Fault[] {
  return [...files.filter(isCode).flatMap(faultsOfFile), ...crowdedFolders(files)];
}

function faultsOfFile(file: SourceFile): Fault[] {
  const isTest = file.path.startsWith('test/');
  const lines = file.text.split('\n').length - 1;
  const allowed = isTest ? TEST_FILE_LINES : FILE_LINES;
  const ofFile = graded(lines, allowed, faultIn(file, `${lines} lines: split it (aim ${allowed.aim})`));
  return isTest ? ofFile : [...ofFile, ...longFunctions(file), ...wideComments(file)];
}

function crowdedFolders(files: readonly SourceFile[]): Fault[] {
  const ofProduct = files.filter((file) => isCode(file) && /^(lib|bin|functions)\//.test(file.path));
  const folders = Map.groupBy(ofProduct, ({ path }) => path.slice(0, path.lastIndexOf('/')));
  return [...folders]
    .filter(([, beside]) => beside.length > FOLDER_FILES_MAX)
    .map(([path, beside]) => ({ path, line: 0, message: `${beside.length} files (limit ${FOLDER_FILES_MAX})` }));
}

function longFunctions(file: SourceFile): Fault[] {
  const faults: Fault[] = [];
  for (const { type, start, end } of nodesOf(parsed(file).program)) {
    if (!FUNCTIONS.includes(type)) continue;
    const line = lineAt(file, start);
    const lines = lineAt(file, end) - line + 1;
    const message = `a function of ${lines} lines (aim ${FUNCTION_LINES.aim})`;
    faults.push(...graded(lines, FUNCTION_LINES, { path: file.path, line, message }));
  }
  return faults;
}

function wideComments(file: SourceFile): Fault[] {
  return file.text.split('\n').flatMap((text, at) => {
    if (text.length <= COMMENT_COLUMNS || !/^\s*(\/\/|\*|\/\*\*)\s/.test(text) || text.includes('biome-ignore'))
      return [];
    return [
      { path: file.path, line: at + 1, message: `a comment of ${text.length} columns (limit ${COMMENT_COLUMNS})` },
    ];
  });
}

function graded(lines: number, { aim, limit }: { aim: number; limit: number }, fault: Fault): Fault[] {
  if (lines <= aim) return [];
  return [lines > limit ? fault : { ...fault, isWarning: true }];
}
