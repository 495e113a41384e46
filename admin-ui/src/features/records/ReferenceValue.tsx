import { shortId } from '@/ui/format';

/** A record of another collection by what it is called, by its id as long as that is not known. */
export function ReferenceValue({ id, title }: { id: string; title: string | undefined }) {
  return title === undefined ? (
    <span className="mono" title={id}>
      {shortId(id)}
    </span>
  ) : (
    <span title={`${title} (${id})`}>{title}</span>
  );
}
