using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Families.SequenceToSequence;

/// <summary>The columns that a sequence-to-sequence network adds.</summary>
internal static class SequenceToSequenceColumns
{
    /// <summary>The columns, in order.</summary>
    /// <param name="output">The column of answers.</param>
    /// <param name="target">The column of targets; null if the data has none.</param>
    /// <param name="options">How answers are written.</param>
    public static IReadOnlyList<DataViewSchema.DetachedColumn> Of(string output, string? target, DecodingOptions options)
    {
        var columns = new List<DataViewSchema.DetachedColumn> { new(output, TextDataViewType.Instance) };
        if (options.AddLogProbabilities)
            columns.Add(new(output + "LogProbability", NumberDataViewType.Single));
        if (options.NumberOfAnswers > 1)
        {
            columns.Add(new(output + "Candidates", new VectorDataViewType(TextDataViewType.Instance, options.NumberOfAnswers)));
            if (options.AddLogProbabilities)
                columns.Add(new(output + "CandidateLogProbabilities", new VectorDataViewType(NumberDataViewType.Single, options.NumberOfAnswers)));
        }
        if (target == null)
            return columns;
        return [.. columns, new(target + "LogProbability", NumberDataViewType.Single), new(target + "Tokens", NumberDataViewType.Int32)];
    }

    /// <summary>Checks that no added column hides another one.</summary>
    /// <exception cref="ArgumentException">Two have the same name; the message names it.</exception>
    public static void Check(string output, string target, DecodingOptions options)
    {
        var twice = Of(output, target, options).GroupBy(column => column.Name).FirstOrDefault(same => same.Count() > 1);
        if (twice != null)
            throw new ArgumentException($"OutputColumnName is '{output}' and TargetColumnName is '{target}': answers and targets would both add a column '{twice.Key}', and one would hide the other. Choose another OutputColumnName.", "OutputColumnName");
    }

    public static SchemaShape.Column ShapeOf(DataViewSchema.DetachedColumn column) => new(
        column.Name,
        column.Type is VectorDataViewType ? SchemaShape.Column.VectorKind.Vector : SchemaShape.Column.VectorKind.Scalar,
        (column.Type as VectorDataViewType)?.ItemType ?? column.Type,
        isKey: false);

    /// <summary>Returns the getters of the columns, in order.</summary>
    /// <param name="columns">The columns of <see cref="Of"/>.</param>
    /// <param name="hasTarget">Whether the last two are those of targets.</param>
    /// <param name="answers">The answers of the current row.</param>
    /// <param name="targets">The log probability and the number of tokens of the target of the current row.</param>
    public static Delegate[] CreateGetters(IReadOnlyList<DataViewSchema.DetachedColumn> columns, bool hasTarget, Func<SequenceAnswer[]> answers, Func<(double LogProbability, int Tokens)> targets)
    {
        var own = columns.Count - (hasTarget ? 2 : 0);
        var getters = columns.Take(own).Select(column => Getter(column.Type, answers)).ToList();
        if (hasTarget)
            getters.AddRange([(ValueGetter<float>)((ref float value) => value = (float)targets().LogProbability), (ValueGetter<int>)((ref int value) => value = targets().Tokens)]);
        return [.. getters];
    }

    private static Delegate Getter(DataViewType type, Func<SequenceAnswer[]> answers) => type switch
    {
        TextDataViewType => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = answers()[0].Text.AsMemory()),
        VectorDataViewType { ItemType: TextDataViewType } texts => Vector(texts.Size, answers, answer => answer.Text.AsMemory(), default),
        VectorDataViewType numbers => Vector(numbers.Size, answers, answer => (float)answer.LogProbability, float.NaN),
        _ => (ValueGetter<float>)((ref float value) => value = (float)answers()[0].LogProbability),
    };

    /// <summary>A tiny vocabulary can have fewer answers than were asked for.</summary>
    private static ValueGetter<VBuffer<T>> Vector<T>(int size, Func<SequenceAnswer[]> answers, Func<SequenceAnswer, T> read, T missing) => (ref VBuffer<T> value) =>
    {
        var found = answers();
        var editor = VBufferEditor.Create(ref value, size);
        for (var i = 0; i < size; i++)
            editor.Values[i] = i < found.Length ? read(found[i]) : missing;
        value = editor.Commit();
    };
}
