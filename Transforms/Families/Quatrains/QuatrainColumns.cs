using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Models;
using MLExtensions.Persistence;

namespace MLExtensions.Families.Quatrains;

/// <summary>A column that says something of a poem.</summary>
internal sealed record QuatrainColumn(string Name, DataViewType Type, Func<Func<QuatrainReport>, Delegate> CreateGetter, DataViewSchema.Annotations? Annotations = null)
{
    public static QuatrainColumn Text(string name, Func<QuatrainReport, string> value) => new(name, TextDataViewType.Instance, current =>
        (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> destination) => destination = value(current()).AsMemory()));

    public static QuatrainColumn Flag(string name, Func<QuatrainReport, bool> value) => new(name, BooleanDataViewType.Instance, current =>
        (ValueGetter<bool>)((ref bool destination) => destination = value(current())));

    public static QuatrainColumn Count(string name, Func<QuatrainReport, int> value) => new(name, NumberDataViewType.Int32, current =>
        (ValueGetter<int>)((ref int destination) => destination = value(current())));
}

/// <summary>The columns of a checked poem.</summary>
internal static class QuatrainColumns
{
    public const string Poem = "Poem";
    public const string Prefix = "Quatrain";
    public const string FaultPositions = "FaultPositions";

    public static IReadOnlyList<QuatrainColumn> All { get; } =
    [
        QuatrainColumn.Text("Pattern", report => report.Pattern?.Name ?? ""),
        QuatrainColumn.Text("NearestPattern", report => report.NearestPattern?.Name ?? ""),
        QuatrainColumn.Text("RhymeGroup", report => string.Join(' ', report.RhymeGroups)),
        QuatrainColumn.Text("Faults", report => string.Join("; ", report.Faults.Select(fault => fault.Message))),
        new(FaultPositions, new VectorDataViewType(NumberDataViewType.Single, QuatrainPattern.MaximumCharacters), PositionGetter),
        QuatrainColumn.Flag("IsQuatrain", report => report.IsQuatrain),
        QuatrainColumn.Flag("FollowsPattern", report => report.Pattern != null),
        QuatrainColumn.Flag("IsRegulated", report => report.IsRegulated),
        QuatrainColumn.Flag("Rhymes", report => report.Rhymes),
        QuatrainColumn.Flag("RhymesInLevelTone", report => report.RhymesInLevelTone),
        QuatrainColumn.Flag("FirstLineRhymes", report => report.FirstLineRhymes),
        QuatrainColumn.Flag("ThirdLineIsOblique", report => report.ThirdLineIsOblique),
        QuatrainColumn.Flag("Alternates", report => report.Alternates),
        QuatrainColumn.Flag("HasOpposition", report => report.HasOpposition),
        QuatrainColumn.Flag("HasAdhesion", report => report.HasAdhesion),
        QuatrainColumn.Flag("KeepsOrder", report => report.KeepsOrder),
        QuatrainColumn.Flag("HasThreeLevelTail", report => report.HasThreeLevelTail),
        QuatrainColumn.Flag("HasSolitaryLevel", report => report.HasSolitaryLevel),
        QuatrainColumn.Count("LineLength", report => report.LineLength),
        QuatrainColumn.Count("RepeatedCharacters", report => report.RepeatedCharacters),
        QuatrainColumn.Count("RepeatedLines", report => report.RepeatedLines),
        QuatrainColumn.Count("UnknownCharacters", report => report.UnknownCharacters),
    ];

    private static Delegate PositionGetter(Func<QuatrainReport> current) => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> destination) =>
    {
        var report = current();
        var editor = VBufferEditor.Create(ref destination, QuatrainPattern.MaximumCharacters);
        editor.Values.Clear();
        foreach (var fault in report.Faults.Where(fault => fault.Line > 0))
            editor.Values[((fault.Line - 1) * report.LineLength) + fault.Place - 1] += fault.IsRhyme ? 2 : 1;
        destination = editor.Commit();
    });
}

/// <summary>Saves a rhyme table with a model, unless it is the built-in one.</summary>
internal static class RhymeTableStorage
{
    private const string Entry = "rhyme-table.txt";
    private const int MaximumBytes = 1 << 24;

    public static void Save(ModelSaveContext ctx, RhymeTable table)
    {
        var own = !ReferenceEquals(table, RhymeTable.Default);
        ctx.Writer.Write(own ? (byte)1 : (byte)0);
        if (own)
            ctx.SaveBinaryStream(Entry, writer => writer.Write(Encoding.UTF8.GetBytes(table.Write())));
    }

    /// <exception cref="ModelFormatException">The entry is missing or damaged.</exception>
    public static RhymeTable Load(ModelLoadContext ctx)
    {
        if (ctx.Reader.ReadByte() == 0)
            return RhymeTable.Default;
        try
        {
            return RhymeTable.Parse(Encoding.UTF8.GetString(ModelEntry.Read(ctx, Entry, MaximumBytes)), Entry);
        }
        catch (FormatException e)
        {
            throw new ModelFormatException(Entry, "is no rhyme table: " + e.Message, e);
        }
    }
}
