using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>What applies a GAN of <see cref="DcganSubject"/>: the GAN is trained, and the transformer has a copy of its networks.</summary>
internal abstract class GanApplication(string name) : DcganSubject(name)
{
    public override bool IsInitialModel => false;

    public override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options) =>
        new Estimator(ml, this, base.CreateEstimator(ml, options), gan => Apply(ml, gan));

    /// <summary>The estimator that is under contract.</summary>
    protected abstract IEstimator<ITransformer> Apply(MLContext ml, GanTransformer gan);

    private sealed class Estimator(MLContext ml, GanApplication subject, IEstimator<ITransformer> trainer, Func<GanTransformer, IEstimator<ITransformer>> apply) : IEstimator<ITransformer>
    {
        public ITransformer Fit(IDataView input)
        {
            using var gan = (GanTransformer)trainer.Fit(input);
            // It does not own the networks: saved and loaded, it does.
            using var file = new MemoryStream();
            ml.Model.Save(apply(gan).Fit(input), input.Schema, file);
            file.Position = 0;
            return ml.Model.Load(file, out _);
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            using var gan = (GanTransformer)trainer.Fit(subject.View(ml, 20));
            return apply(gan).GetOutputSchema(inputSchema);
        }
    }
}

/// <summary>Fills the right half, which is half of each third.</summary>
internal sealed class InpaintingSubject() : GanApplication("Inpainting")
{
    public override string[] OutputColumns => ["Whole", "Noise", "Loss", "Holes"];

    public override string[] ValueColumns => OutputColumns;

    public override bool ComputesRowByRow => true;

    /// <summary>Unseen rows that are normalized like the others may leave the range of the images.</summary>
    public override IEstimator<ITransformer> Normalizer(MLContext ml) => ml.Transforms.CopyColumns("Copy", nameof(Example.Features));

    public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows) =>
        PredictRows<FilledRow>(ml, model, rows, row => [.. row.Whole, .. row.Noise, row.Loss, .. row.Holes]);

    protected override IEstimator<ITransformer> Apply(MLContext ml, GanTransformer gan) => ml.Transforms.Inpaint(gan, new()
    {
        ImageColumnName = nameof(Example.Features),
        OutputColumnName = "Whole",
        LatentColumnName = "Noise",
        LossColumnName = "Loss",
        UsedMaskColumnName = "Holes",
        MaskShape = InpaintingMaskShape.RightHalf,
        Steps = 1,
        Restarts = 2,
    });

    private sealed class FilledRow
    {
        public float[] Whole { get; set; } = [];

        public float[] Noise { get; set; } = [];

        public float Loss { get; set; }

        public float[] Holes { get; set; } = [];
    }
}

internal sealed class DiscriminatorFeaturesSubject() : GanApplication("DiscriminatorFeatures")
{
    public override string[] OutputColumns => ["Codes", "Real"];

    public override string[] ValueColumns => OutputColumns;

    public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows) =>
        PredictRows<JudgedRow>(ml, model, rows, row => [.. row.Codes, row.Real]);

    protected override IEstimator<ITransformer> Apply(MLContext ml, GanTransformer gan) =>
        ml.Transforms.DiscriminatorFeatures("Codes", nameof(Example.Features), gan, "Real");

    private sealed class JudgedRow
    {
        public float[] Codes { get; set; } = [];

        public float Real { get; set; }
    }
}
