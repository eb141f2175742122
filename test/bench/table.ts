// Tables of text, for people.

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

export function table(title: string, head: string[], rows: string[][]): string {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: string[]) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
  return [title, line(head), ...rows.map(line)].join('\n')
}
