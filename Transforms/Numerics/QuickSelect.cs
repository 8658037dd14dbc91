namespace MLExtensions;

/// <summary>Finds a value by its rank without sorting all (Hoare, 1961).</summary>
internal static class QuickSelect
{
    /// <summary>The <paramref name="rank"/>-th greatest value, counted from 1; the values, none of them NaN, are put in another order.</summary>
    public static float Greatest(Span<float> values, int rank)
    {
        var first = 0;
        var last = values.Length - 1;
        var target = rank - 1;
        while (first < last)
        {
            var (beforeEqual, afterEqual) = Partition(values, first, last);
            if (target <= beforeEqual)
                last = beforeEqual;
            else if (target >= afterEqual)
                first = afterEqual;
            else
                break;
        }
        return values[target];
    }

    /// <summary>Greater values to the front, lesser ones to the end; what lies between the two places equals the pivot.</summary>
    private static (int BeforeEqual, int AfterEqual) Partition(Span<float> values, int first, int last)
    {
        var pivot = values[first + ((last - first) / 2)];
        while (first <= last)
        {
            while (values[first] > pivot)
                first++;
            while (values[last] < pivot)
                last--;
            if (first > last)
                break;
            (values[first], values[last]) = (values[last], values[first]);
            first++;
            last--;
        }
        return (last, first);
    }
}
