export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <rect width="32" height="32" rx="8" fill="#0f766e" />
      <path d="M9 11.5h14M9 16h14M9 20.5h9" stroke="#fff" strokeWidth="3" strokeLinecap="round" />
    </svg>
  );
}
