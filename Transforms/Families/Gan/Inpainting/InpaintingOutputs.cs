using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Models;
using MLExtensions.Persistence;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Gan;

/// <summary>A row whose hole is filled.</summary>
/// <param name="Image">The image as it was read.</param>
/// <param name="Missing">1 for each missing pixel.</param>
/// <param name="Mask">The same.</param>
/// <param name="Candidates">What was found; empty if nothing was to be searched.</param>
/// <param name="Options">The options.</param>
/// <param name="Architecture">The generator.</param>
internal sealed record InpaintedRow(float[] Image, float[] Missing, InpaintingMask Mask, IReadOnlyList<InpaintingCandidate> Candidates, InpaintingEstimator.Options Options, GeneratorArchitecture Architecture)
{
    /// <summary>The candidate of the smallest loss.</summary>
    public InpaintingCandidate Best => Candidates.MinBy(candidate => candidate.Loss)!;

    /// <summary>The image without holes; known pixels are as they were read.</summary>
    public void Fill(Span<float> destination)
    {
        Image.CopyTo(destination);
        if (Mask.NumberOfMissing == 0)
            return;
        var fill = Options.Fill == InpaintingFill.Best ? Best.Image : WeightedMean();
        if (Options.PoissonBlend)
        {
            var blended = new float[fill.Length];
            new PoissonBlend(Mask).Blend(Image, fill, blended);
            fill = blended;
        }
        for (var i = 0; i < destination.Length; i++)
        {
            if (Mask.IsMissing[i % Missing.Length])
                destination[i] = Architecture.Values is { } range ? Math.Clamp(fill[i], (float)range.Minimum, (float)range.Maximum) : fill[i];
        }
    }

    private float[] WeightedMean()
    {
        var least = (double)Best.Loss;
        var sums = new double[Image.Length];
        var total = 0.0;
        foreach (var candidate in Candidates)
        {
            var weight = Math.Exp((least - candidate.Loss) / Options.Temperature);
            total += weight;
            for (var i = 0; i < sums.Length; i++)
                sums[i] += weight * candidate.Image[i];
        }
        return Array.ConvertAll(sums, sum => (float)(sum / total));
    }
}

/// <summary>Writes the values of a column.</summary>
internal delegate void InpaintingWriter(InpaintedRow row, Span<float> destination);

/// <summary>A column that inpainting adds.</summary>
/// <param name="Column">The column.</param>
/// <param name="Write">Writes its values.</param>
internal sealed record InpaintingOutput(OutputColumn Column, InpaintingWriter Write)
{
    /// <summary>Whether it is the image.</summary>
    public bool IsImage { get; init; }

    /// <summary>Whether it comes from the search even if nothing is missing.</summary>
    public bool NeedsSearch { get; init; }

    /// <summary>The names of its keys, or null.</summary>
    public DataViewSchema.Annotations? Annotations { get; init; }
}

/// <summary>The columns that inpainting adds.</summary>
internal static class InpaintingOutputs
{
    public static IReadOnlyList<InpaintingOutput> Of(InpaintingSettings settings, GeneratorArchitecture architecture)
    {
        var (options, image) = (settings.Options, architecture.Image!);
        var images = settings.IsImage
            ? OutputColumn.Image(options.OutputColumnName, image.Channels, image.Height, image.Width)
            : OutputColumn.Vector(options.OutputColumnName, new VectorDataViewType(NumberDataViewType.Single, image.Channels, image.Height, image.Width));
        var outputs = new List<InpaintingOutput> { new(images, (row, destination) => row.Fill(destination)) { IsImage = true } };
        if (options.LatentColumnName is { } latent)
            outputs.Add(new(OutputColumn.Vector(latent, architecture.LatentSize), (row, destination) => row.Best.Noise.CopyTo(destination)) { NeedsSearch = true });
        if (options.LossColumnName is { } loss)
            outputs.Add(new(OutputColumn.Number(loss), (row, destination) => destination[0] = row.Best.Loss) { NeedsSearch = true });
        if (options.ClassColumnName is { } found)
            outputs.Add(new(OutputColumn.LargestOf(found, architecture.ClassCount), WriteClass) { NeedsSearch = true, Annotations = NamesOf(settings.ClassNames) });
        if (options.UsedMaskColumnName is { } mask)
            outputs.Add(new(OutputColumn.Vector(mask, new VectorDataViewType(NumberDataViewType.Single, image.Height, image.Width)), (row, destination) => row.Missing.CopyTo(destination)));
        return outputs;
    }

    private static void WriteClass(InpaintedRow row, Span<float> destination)
    {
        destination.Clear();
        destination[row.Best.Class] = 1;
    }

    private static DataViewSchema.Annotations? NamesOf(IReadOnlyList<string>? names)
    {
        if (names == null)
            return null;
        var builder = new DataViewSchema.Annotations.Builder();
        builder.AddKeyValues(names.Count, TextDataViewType.Instance, (ref VBuffer<ReadOnlyMemory<char>> values) => values = new VBuffer<ReadOnlyMemory<char>>(names.Count, names.Select(name => name.AsMemory()).ToArray()));
        return builder.ToAnnotations();
    }
}

/// <summary>What inpainting needs besides its networks.</summary>
/// <param name="Options">The options; nobody changes them.</param>
/// <param name="IsImage">Whether images are MLImage instead of vectors.</param>
/// <param name="ClassNames">The names of the generator's classes, or null.</param>
internal sealed record InpaintingSettings(InpaintingEstimator.Options Options, bool IsImage, IReadOnlyList<string>? ClassNames)
{
    /// <summary>Whether a generator that was loaded can be used with the options.</summary>
    public bool Fits(GeneratorArchitecture architecture)
    {
        try
        {
            Options.Check(architecture);
        }
        catch (ArgumentException)
        {
            return false;
        }
        return ClassNames == null || ClassNames.Count == architecture.ClassCount;
    }

    public void Save(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(Options.OutputColumnName);
        ctx.SaveNonEmptyString(Options.ImageColumnName);
        foreach (var name in new[] { Options.MaskColumnName, Options.LabelColumnName, Options.LatentColumnName, Options.LossColumnName, Options.ClassColumnName, Options.UsedMaskColumnName })
            ctx.SaveStringOrNull(name);
        foreach (var number in new[] { (int?)Options.MaskShape ?? -1, Options.HoleSide ?? -1, Options.Restarts ?? -1, Options.Steps, (int)Options.Fill, Options.PoissonBlend ? 1 : 0, Options.Seed, IsImage ? 1 : 0 })
            ctx.Writer.Write(number);
        foreach (var number in new[] { Options.MissingShare, Options.LearningRate, Options.PriorWeight, Options.DiscriminatorWeight, Options.DistantWeight, Options.Temperature })
            ctx.Writer.Write(number);
        ctx.SaveClassNames(ClassNames);
    }

    public static InpaintingSettings Load(ModelLoadContext ctx)
    {
        var options = new InpaintingEstimator.Options
        {
            OutputColumnName = ctx.LoadNonEmptyString(),
            ImageColumnName = ctx.LoadNonEmptyString(),
            MaskColumnName = ctx.LoadStringOrNull(),
            LabelColumnName = ctx.LoadStringOrNull(),
            LatentColumnName = ctx.LoadStringOrNull(),
            LossColumnName = ctx.LoadStringOrNull(),
            ClassColumnName = ctx.LoadStringOrNull(),
            UsedMaskColumnName = ctx.LoadStringOrNull(),
            MaskShape = OrNull(ctx.Reader.ReadInt32()) is { } shape ? (InpaintingMaskShape)shape : null,
            HoleSide = OrNull(ctx.Reader.ReadInt32()),
            Restarts = OrNull(ctx.Reader.ReadInt32()),
            Steps = ctx.Reader.ReadInt32(),
            Fill = (InpaintingFill)ctx.Reader.ReadInt32(),
            PoissonBlend = ctx.Reader.ReadInt32() != 0,
            Seed = ctx.Reader.ReadInt32(),
        };
        var isImage = ctx.Reader.ReadInt32() != 0;
        options.MissingShare = ctx.Reader.ReadDouble();
        options.LearningRate = ctx.Reader.ReadDouble();
        options.PriorWeight = ctx.Reader.ReadDouble();
        options.DiscriminatorWeight = ctx.Reader.ReadDouble();
        options.DistantWeight = ctx.Reader.ReadDouble();
        options.Temperature = ctx.Reader.ReadDouble();
        return new InpaintingSettings(options, isImage, ctx.LoadClassNames());
    }

    private static int? OrNull(int value) => value < 0 ? null : value;
}
