export type Comparer<T> = (a: T, b: T) => number;
/** Compares as a list with this `sort` does, as in `-priority,title`. */
export declare function comparer<T extends {
    id: string;
}>(sort: string): Comparer<T>;
