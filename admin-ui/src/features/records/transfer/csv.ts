/** Comma-separated values as RFC 4180 has them; semicolons and tabs are understood when read. */

export function csvLine(values: string[]): string {
  return values.map((value) => (/[",\r\n;]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',');
}

/** The separator that the first line uses most. */
function separatorOf(text: string): string {
  const line = text.slice(0, text.search(/[\r\n]|$/));
  const count = (mark: string) => line.split(mark).length;
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

/** Rows of cells; empty lines are left out. */
export function parseCsv(source: string): string[][] {
  const text = source.replace(/^\uFEFF/, '');
  return split(text, separatorOf(text)).filter((row) => row.length > 1 || row[0] !== '');
}

/** What spreadsheets put on the clipboard: tabs between the cells, and every line counts. */
export function parseCells(text: string): string[][] {
  return split(text, '\t');
}

function split(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const endCell = () => {
    row.push(cell);
    cell = '';
  };
  const endRow = () => {
    endCell();
    rows.push(row);
    row = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text.charAt(at + 1) === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"' && cell === '') quoted = true;
    else if (char === separator) endCell();
    else if (char === '\n') endRow();
    else if (char !== '\r') cell += char;
  }
  if (cell !== '' || row.length > 0) endRow();
  return rows;
}
